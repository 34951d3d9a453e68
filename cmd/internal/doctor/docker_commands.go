package doctor

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/moby/moby/api/types/container"

	"wklog/cmd/internal/check"
	"wklog/patterns"
)

// operate puts commands into the form in which they work on the containers of this
// engine: compose has to be told what it was told when it made them. Labels may hold
// anything: what has not the shape of a file or a name goes into no command, for there it
// may stand within quotes already.
func (e *engine) operate(c *container.InspectResponse, compose string) func(string) string {
	program, podman := composeProgram(pluginFolders(os.Getenv)), strings.Contains(e.place.host, "podman")
	if podman {
		program = "podman compose"
	}
	project := c.Config.Labels["com.docker.compose.project"]
	if patterns.FactService.Fits(project) && project != path.Base(path.Dir(compose)) {
		program += " -p " + shellescape.Quote(project)
	}
	files := composeFlags(c.Config.Labels)
	return func(command string) string {
		if files != "" {
			command = composeWords.ReplaceAllLiteralString(command, program+files+" ")
		}
		if podman {
			command = dockerWord.ReplaceAllString(command, "${1}podman ")
		}
		return command
	}
}

var (
	composeWords = regexp.MustCompile(`docker compose (?:-f (?:'[^']*'|\S+) )?`)
	dockerWord   = regexp.MustCompile(`(?m)(^|[;&|(]\s*|\b(?:sudo|exec) )docker `)
)

// composeFlags name the files of a project: those of its services, of its variables where
// they are not the usual one, and the folder in which both begin where that is another. Any
// of them that has not the shape of a file leaves all out.
func composeFlags(labels map[string]string) (flags string) {
	fits := true
	add := func(flag, file string) {
		fits = fits && patterns.FactFile.Fits(file)
		flags += flag + shellescape.Quote(file)
	}
	for _, file := range check.ComposeFiles(labels) {
		add(" -f ", file)
	}
	folder := labels["com.docker.compose.project.working_dir"]
	if folder != "" && folder != path.Dir(check.ComposeFile(labels)) {
		add(" --project-directory ", folder)
	}
	if file := labels["com.docker.compose.project.environment_file"]; file != "" {
		for file := range strings.SplitSeq(file, ",") {
			if !path.IsAbs(file) { // version 1 writes it as it was given
				file = path.Join(folder, file)
			}
			add(" --env-file ", file)
		}
	}
	if !fits {
		return ""
	}
	return flags
}

// composeProgram is docker compose where it is a plugin, docker-compose where only a program
// of that name is there.
func composeProgram(plugins []string) string {
	for _, dir := range plugins {
		if _, err := exec.LookPath(filepath.Join(dir, "docker-compose")); err == nil {
			return "docker compose"
		}
	}
	if _, err := exec.LookPath("docker-compose"); err == nil {
		return "docker-compose"
	}
	return "docker compose"
}

// pluginFolders are those in which docker looks for its plugins (docker/cli v28.5.1
// cli-plugins/manager/manager.go).
func pluginFolders(env func(string) string) []string {
	var config struct{ CLIPluginsExtraDirs []string }
	if data, err := os.ReadFile(filepath.Join(configFolder(env), "config.json")); err == nil {
		_ = json.Unmarshal(data, &config) // one that is damaged names none
	}
	folders := append(config.CLIPluginsExtraDirs, filepath.Join(configFolder(env), "cli-plugins"))
	for _, dir := range []string{"/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec"} {
		folders = append(folders, filepath.Join(dir, "docker/cli-plugins"))
	}
	return folders
}

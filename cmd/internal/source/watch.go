package source

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/hpcloud/tail/watch"
	"gopkg.in/tomb.v1"
)

// watching tells of changes of one file by the watcher of hpcloud/tail
// (inotify). The library's own reading cannot hold what following promises:
// it knows no offsets, moves to a new file before the old one is read to its
// end, takes a file that was cut and has grown again for the old one, and keeps
// a line of any length in memory. Its watcher drops an event that nobody waits
// for. So it only wakes the reading here, which knows by itself where it is,
// and which a regular check completes.
type watching struct {
	name string
	tomb tomb.Tomb
}

// watch wakes a log when its present file changes.
func (f *Follow) watch(l *Followed) {
	if f.deaf || !hasEvents(l.file) {
		f.tell(l.Name, ErrPolled)
		return
	}
	w := &watching{name: watchedName(l.file)}
	changes, err := watch.NewInotifyFileWatcher(w.name).ChangeEvents(&w.tomb, l.offset)
	if err != nil {
		f.tell(l.Name, fmt.Errorf("%w: %w", ErrPolled, err))
		return
	}
	l.watching = w
	go func() {
		defer w.tomb.Done()
		for {
			select {
			case <-changes.Modified:
			case <-changes.Truncated:
			case <-changes.Deleted: // it was renamed, and its successor is about to come
				f.wakeOften(l, w)
				return
			case <-w.tomb.Dying():
				return
			}
			l.wake(f.watched)
		}
	}()
	l.wake(f.watched) // for what came before the watcher listened
}

// wakeOften looks after a renamed log until it has moved on, for a second: the
// new file has no watch yet. After that the regular check does.
func (f *Follow) wakeOften(l *Followed, w *watching) {
	for ticks, n := time.NewTicker(checkEvery/50), 0; ; n++ {
		l.wake(f.watched)
		select {
		case <-ticks.C:
			if n < 250 {
				continue
			}
			ticks.Stop()
			<-w.tomb.Dying()
			return
		case <-w.tomb.Dying():
			ticks.Stop()
			return
		}
	}
}

// unwatch ends the events of the present file, before its descriptor is closed:
// the watcher knows files by name, and the next one may have the same.
func (l *Followed) unwatch() {
	w := l.watching
	if w == nil {
		return
	}
	l.watching = nil
	w.tomb.Kill(nil)
	_ = w.tomb.Wait()
	for tries := 0; watch.Events(w.name) != nil && tries < 1000; tries++ {
		time.Sleep(100 * time.Microsecond) // the library offers nothing to wait for
	}
}

// watchedName names the open file itself and not what its path leads to, so that
// a rename or a failing path does not reach the watcher, which would end the
// program for one.
func watchedName(file *os.File) string {
	if runtime.GOOS == "linux" {
		if name := fmt.Sprintf("/proc/self/fd/%d", file.Fd()); exists(name) {
			return name
		}
	}
	return file.Name()
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

package main

import ("flag";"os";"path/filepath";"wklog/testdata/months";"fmt")
func main(){ seed:=flag.Uint64("seed",0,"");n:=flag.Int("faults",3,"");o:=flag.String("o","","");flag.Parse()
r,err:=months.Read("testdata"); if err!=nil {panic(err)}
m:=r.Compose(*seed,*n)
for _,l:=range m.Logs { os.MkdirAll(filepath.Join(*o,l.Node),0o755); os.WriteFile(filepath.Join(*o,l.Node,l.Name),[]byte(l.Text),0o644)}
for _,f:=range m.Faults { fmt.Println(f.Cause,f.Nodes,f.First,f.Last,f.Failures)} }

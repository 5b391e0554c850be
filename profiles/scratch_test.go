package profiles
import ("testing";"fmt";"github.com/google/go-cmp/cmp")
func TestScratch(t *testing.T){
 for _,n:=range Builtin(){ p,err:=Load(n); if err!=nil{t.Error(err);continue}
 y,err:=p.YAML(); if err!=nil{t.Error(err)}
 fmt.Println(string(y))
 q,err:=Parse("x",y); if err!=nil{t.Error(err);continue}
 if d:=cmp.Diff(p,q);d!=""{t.Error(d)}
 }
}

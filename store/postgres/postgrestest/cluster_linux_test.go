package postgrestest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
	"golang.org/x/sys/unix"
)

// TestNothingIsLeft checks that a cluster that is removed leaves no shared memory, of which a
// machine has little, although its server is killed.
func TestNothingIsLeft(t *testing.T) {
	c, err := start(Options{})
	if err != nil {
		testenv.Missing(t, "%v", err)
	}
	t.Cleanup(c.remove)
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", c.process.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(maps), "/dev/shm/") {
		t.Error("the server has shared memory outside its folder, which stays if it is killed")
	}
	segment, err := c.segment()
	if err != nil {
		t.Fatal(err)
	}
	exists := func() bool {
		_, err := unix.SysvShmCtl(segment, unix.IPC_STAT, new(unix.SysvShmDesc))
		return err == nil
	}
	if !exists() {
		t.Fatal("the server's segment is another")
	}
	c.Kill(t)
	if !exists() {
		t.Error("a killed server removes its segment by itself: then it need not be removed")
	}
	c.remove()
	if exists() {
		t.Error("the server's segment is left")
	}
	if _, err := os.Stat(c.folder); !os.IsNotExist(err) {
		t.Errorf("its folder is left: %v", err)
	}
}

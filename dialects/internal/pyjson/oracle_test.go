package pyjson

import (
	"bufio"
	_ "embed"
	"encoding/binary"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/authcompat/authcompat/core/testenv"
)

//go:embed testdata/oracle.py
var oracleScript string

// oracle is a running interpreter that answers for CPython.
type oracle struct {
	python Python
	in     *bufio.Writer
	out    *bufio.Reader
}

// question is an operation of testdata/oracle.py and its payload.
type question struct {
	operation byte
	payload   []byte
}

// answer is CPython's: the fields, or the text of its ValueError.
type answer struct {
	fields [][]byte
	err    string
}

// startOracle runs python3, or the interpreter that AUTHCOMPAT_PYJSON_PYTHON
// names. Without one the test is skipped, or fails if CI is set.
func startOracle(t *testing.T) *oracle {
	t.Helper()
	name := os.Getenv("AUTHCOMPAT_PYJSON_PYTHON")
	if name == "" {
		name = "python3"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		testenv.Missing(t, "no Python to compare with: %v", err)
	}
	cmd := exec.Command(path, "-E", "-c", oracleScript)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	o := &oracle{in: bufio.NewWriter(in), out: bufio.NewReader(out)}
	v := o.ask(t, []question{{operation: 'V'}})[0].fields
	minor, err := strconv.Atoi(string(v[1]))
	if err != nil {
		t.Fatal(err)
	}
	switch limited := string(v[2]) == "limited"; {
	case string(v[0]) == "2":
		o.python = Python27
	case !limited:
		o.python = Python36
	case minor < 11:
		o.python = Python37
	case minor < 13:
		o.python = Python311
	default:
		o.python = Python313
	}
	t.Logf("comparing with Python %s.%s at %s", v[0], v[1], path)
	return o
}

func (o *oracle) ask(t *testing.T, questions []question) []answer {
	t.Helper()
	sent := make(chan error, 1)
	go func() { sent <- o.send(questions) }()
	answers := make([]answer, len(questions))
	for i := range answers {
		fields, err := o.receive()
		if err != nil {
			t.Fatalf("the interpreter stopped at %c %q: %v", questions[i].operation, questions[i].payload, err)
		}
		if string(fields[0]) == "error" {
			answers[i].err = string(fields[1])
		} else {
			answers[i].fields = fields[1:]
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	return answers
}

func (o *oracle) send(questions []question) error {
	flush := question{operation: '!'}
	for _, q := range append(questions[:len(questions):len(questions)], flush) {
		head := binary.BigEndian.AppendUint32([]byte{q.operation}, uint32(len(q.payload)))
		if _, err := o.in.Write(append(head, q.payload...)); err != nil {
			return err
		}
	}
	return o.in.Flush()
}

func (o *oracle) receive() ([][]byte, error) {
	count, err := o.out.ReadByte()
	if err != nil {
		return nil, err
	}
	fields := make([][]byte, count)
	for i := range fields {
		var length [4]byte
		if _, err := io.ReadFull(o.out, length[:]); err != nil {
			return nil, err
		}
		fields[i] = make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(o.out, fields[i]); err != nil {
			return nil, err
		}
	}
	return fields, nil
}

package python

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// shown is a value as Python writes it or, if it is not known, its position and why.
func shown(v *Value) string {
	switch {
	case v == nil:
		return "nothing"
	case v.Kind == Unknown:
		return fmt.Sprintf("%d:%d: %s", v.Pos.Line, v.Pos.Column, v.Text)
	}
	return v.Show(1000)
}

func mustRead(t *testing.T, texts ...string) *Module {
	t.Helper()
	var files []File
	for i, text := range texts {
		files = append(files, File{Name: fmt.Sprintf("%c.py", 'a'+i), Text: []byte(text)})
	}
	m, err := Read(files...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestExpressions reads the right-hand side of X = ….
func TestExpressions(t *testing.T) {
	const head = "from datetime import timedelta as td; import datetime, re, os\nfrom corsheaders.defaults import default_headers\nN = 3; S = 'text'; L = ['a']; T = ('a',); D = {'k': [1]}; E = os.environ.get('E', 's3cret')\nX = "
	for _, tt := range []struct{ text, want string }{
		{`None`, `None`}, {`True`, `True`}, {`False`, `False`},
		{`0`, `0`}, {`1_000`, `1000`}, {`0x1f`, `31`}, {`0o17`, `15`}, {`0B11`, `3`}, {`00`, `0`}, {`1.5`, `1.5`}, {`.5`, `0.5`}, {`1e3`, `1000`}, {`1E-3`, `0.001`},
		{`-5`, `-5`}, {`--5`, `5`}, {`+5`, `5`}, {`0xE+1`, `15`}, {`1j`, `4:5: is a number of an unusual kind`}, {`99999999999999999999`, `4:5: is a number of an unusual kind`}, {`017`, `4:5: is a number of an unusual kind`},
		{`'a'`, `'a'`}, {`"it's"`, `"it's"`}, {`'say "x"'`, `'say "x"'`}, {`u'a'`, `'a'`}, {`r'\d+\.'`, `'\\d+\\.'`}, {`'\d'`, `'\\d'`}, {`R"a"`, `'a'`},
		{`'a' "b" '''c'''`, `'abc'`}, {"('a'\n  # comment\n  'b')", `'ab'`}, {"'a' \\\n 'b'", `'ab'`}, {"'''a\nb'''", `'a\nb'`}, {"'a\\\nb'", `'ab'`},
		{`'\x41\u00e9\101\n\0'`, `'AéA\n\x00'`}, {`'\N{DASH}'`, `4:5: has a character by its name`}, {`'\ud800'`, `4:5: has an escape that is no character`}, {`b'a'`, `4:5: is bytes`},
		{`f'{S}/{{uid}}/{N}'`, `'text/{uid}/3'`}, {`f"{S}" 'b'`, `'textb'`}, {`rf'\d{N}'`, `'\\d3'`}, {`f'{S!r}'`, `4:5: is an f-string with an expression`}, {`f'{S + "x"}'`, `4:5: is an f-string with an expression`},
		{`f"{D["k"]}"`, `4:5: is an f-string with an expression`}, {`f'{E}'`, `4:5: calls os.environ.get(…)`}, {`f'{nowhere}'`, `4:5: is the name nowhere, which nothing read so far has set`}, {`f'{L}'`, `4:5: is an f-string with a value that is no text`},
		{`[]`, `[]`}, {`()`, `()`}, {`{}`, `{}`}, {`[1, 'a', None,]`, `[1, 'a', None]`}, {`(1)`, `1`}, {`(1,)`, `(1,)`}, {`1, 2`, `(1, 2)`}, {`1,`, `(1,)`}, {`{1, 2}`, `{1, 2}`}, {`set()`, `set()`}, {`{'a'}`, `{'a'}`},
		{`{'a': 1, "b": {'c': (1, [2])}}`, `{'a': 1, 'b': {'c': (1, [2])}}`}, {`{'a': 1, 'a': 2}`, `{'a': 2}`}, {`{**D, 'b': 1}`, `{'k': [1], 'b': 1}`},
		{`{'k': 0, **E, 'b': 1}`, `{'k': …, 'b': 1, …}`}, {`{E: 1, 'a': 2}`, `{'a': 2, …}`}, {`[*L, 'b']`, `['a', 'b']`}, {`(*default_headers, 'x-a')[9]`, `'x-a'`}, {`[*E, 'b']`, `[…, 'b']`},
		{`td(hours=10)`, `timedelta(hours=10)`}, {`datetime.timedelta(1)`, `timedelta(days=1)`}, {`td(1, 2)`, `timedelta(seconds=86402)`}, {`td()`, `timedelta(0)`}, {`td(minutes=0.5)`, `timedelta(seconds=30)`}, {`td(weeks=2) + td(days=1)`, `timedelta(days=15)`},
		{`td(days=1) * N`, `timedelta(days=3)`}, {`-td(days=1)`, `timedelta(days=-1)`}, {`td(milliseconds=1)`, `timedelta(microseconds=1000)`}, {`td(days=10**9)`, `4:15: is computed`}, {`td(hours=int(os.environ['H']))`, `4:14: calls int(…), a name that nothing read so far has set`}, {`td(days=9999999999999)`, `4:5: is too large`},
		{`timedelta(hours=1)`, `4:5: calls timedelta(…), a name that nothing read so far has set`},
		{`10 * 60`, `600`}, {`60 * 60 * 24 * 1.5`, `129600`}, {`7 // 2 + 1`, `4`}, {`1 + 2 * 3`, `7`}, {`(1 + 2) * 3`, `9`}, {`7 / 2`, `3.5`}, {`1 / 0`, `4:7: is computed`}, {`-7 // 2`, `4:8: is computed`}, {`2 ** 3`, `4:7: is computed`}, {`N * 2`, `6`}, {`9223372036854775807 + 1`, `4:25: is computed`},
		{`'a' + S`, `'atext'`}, {`L + ['b'] + list(T)`, `['a', 'b', 'a']`}, {`T + ('b',)`, `('a', 'b')`}, {`L + T`, `4:7: is computed`}, {`L + E`, `['a', …]`}, {`E + L`, `[…, 'a']`}, {`'a' + E`, `3:63: calls os.environ.get(…)`}, {`'%s' % S`, `4:10: is put together with %`}, {`S * 2`, `4:7: is computed`},
		{`D | {'b': 1}`, `{'k': [1], 'b': 1}`}, {`D['k']`, `[1]`}, {`L[0]`, `'a'`}, {`L[5]`, `4:5: is computed`}, {`L[0:1]`, `4:5: is computed`}, {`os.environ['A']`, `4:5: reads os.environ[…]`}, {`D['none']`, `4:5: is computed`}, {`D.copy()`, `{'k': [1]}`}, {`D.get('k')`, `4:5: calls D.get(…)`},
		{`dict(a=1, **D)`, `{'a': 1, 'k': [1]}`}, {`list(L)`, `['a']`}, {`tuple(['b'])`, `('b',)`}, {`frozenset(['b'])`, `{'b'}`}, {`re.compile(r'^a$')`, `'^a$'`}, {`re.compile('a', re.I)`, `4:5: is a pattern with flags`},
		{`os.path`, `os.path`}, {`E`, `3:63: calls os.environ.get(…)`}, {`os.environ.get('A') or 'b'`, `4:5: calls os.environ.get(…)`}, {`env('A', default="s3cret")`, `4:5: calls env(…), a name that nothing read so far has set`},
		{`1 if N else 2`, `4:7: depends on a condition`}, {`'a' or 'b'`, `4:9: depends on a condition`}, {`not N`, `4:5: depends on a condition`}, {`N == 3`, `4:7: depends on a condition`}, {`'a' in L`, `4:9: depends on a condition`}, {`[x for x in L]`, `4:5: is computed in a loop`}, {`{k: v for k, v in D.items()}`, `4:5: is computed in a loop`}, {`(x for x in L)`, `4:5: is computed in a loop`},
		{`lambda a, b: [a, b]`, `4:5: is a lambda`}, {`[lambda a, b=1: a, 2]`, `[…, 2]`}, {`{'f': lambda a, b: a, 'b': 1}`, `{'f': …, 'b': 1}`}, {`(N := 4)`, `4:6: is set by more than assignments`}, {`...`, `4:5: is not understood`}, {`~1`, `4:5: is not understood`}, {`await x`, `4:5: is computed`}, {`print`, `4:5: is the name print, which nothing read so far has set`}, {`S.upper()`, `4:5: calls S.upper(…)`}, {`'a'.upper()`, `4:5: calls .upper(…)`},
	} {
		if got := shown(mustRead(t, head+tt.text).Value("X")); got != tt.want {
			t.Errorf("X = %s\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// TestStatements reads files that change X after setting it.
func TestStatements(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"X = 1\nX = 2", "2"}, {"A = X = 1", "1"}, {"X: dict[str, int] = {'a': 1}", "{'a': 1}"}, {"X: int", "nothing"}, {"X = 1; Y = 2", "1"}, {"\ufeffX = 1\r\nY = 2\r\n", "1"}, {"# coding: utf-8\n'''doc\nX = 2\n'''\nX = 1 # c", "1"},
		{"X, Y = 1, 2", "1:1: is set together with others"}, {"(X, Y) = 1, 2", "1:2: is set together with others"}, {"X = 1\n[X, *Y] = z", "2:2: is set together with others"},
		{"X = [1]\nX += [2]", "[1, 2]"}, {"X = (1,)\nX += (2,)", "(1, 2)"}, {"X = 'a'\nX += 'b'", "'ab'"}, {"X = 1\nX -= 2", "-1"}, {"X = {'a': 1}\nX |= {'b': 2}", "{'a': 1, 'b': 2}"}, {"X = {1}\nX |= {2}", "{1, 2}"}, {"X = [1]\nY = X\nY += [2]", "[1, 2]"}, {"X = (1,)\nY = X\nY += (2,)", "(1,)"}, {"X = 1\nX %= 2", "2:3: is computed"},
		{"X = {}\nX['a'] = 1\nX['b'] = {}\nX['b']['c'] = 2", "{'a': 1, 'b': {'c': 2}}"}, {"X = {'a': [1]}\nX['a'] += [2]\nX['a'].append(3)", "{'a': [1, 2, 3]}"}, {"X = {'a': [{}]}\nX['a'][0]['b'] = 1", "{'a': [{'b': 1}]}"}, {"X = {'a': 1}\nK = 'a'\nX[K] = 2", "{'a': 2}"}, {"X = {'a': 1}\nX[f()] = 2", "{'a': …, …}"}, {"X = {'a': {}}\nX[f()]['b'] = 2", "{'a': …, …}"},
		{"X = {'a': 1}\nX.update({'b': 2})\nX.update(c=3, a=4)", "{'a': 4, 'b': 2, 'c': 3}"}, {"X = {'a': 1}\nX.update(f())", "{'a': …, …}"}, {"X = {'a': 1}\nX.update(**f())", "{'a': …, …}"}, {"X = {'a': 1}\nX.setdefault('a', 2)\nX.setdefault('b', 3)", "{'a': 1, 'b': 3}"}, {"X = {'a': 1, 'b': 2}\nX.pop('a')\ndel X['b']", "{}"}, {"X = {'a': 1, 'b': 2}\ndel X['a']\nX['c'] = 3\nX['b'] = 4", "{'b': 4, 'c': 3}"}, {"X = {'a': 1}\nX.clear()", "{'a': …, …}"}, {"X = {'a': 1}\nX.get('a')", "{'a': 1}"},
		{"X = [1]\nX.append(2)\nX.extend([3, 4])\nX.insert(0, 0)\nX.insert(99, 5)", "[0, 1, 2, 3, 4, 5]"}, {"X = [1]\nX.insert(-1, 0)", "[1, …]"}, {"X = ['a', 'b', 'a']\nX.remove('a')", "['b', 'a']"}, {"X = ['a']\nX.sort()", "[…]"}, {"X = {'a'}\nX.add('b')\nX.discard('a')", "{'b'}"}, {"X = [1]\nX.extend(x for x in y)", "[1, …]"}, {"X = [1, 2]\nX[0] = 3", "[…]"}, {"X = [1]\ndel X[0]", "[…]"}, {"X = 1\ndel X", "nothing"},
		{"if D:\n  X = 1\nelse:\n  X = 2", "4:3: depends on the else of line 3"}, {"X = 1\nif D: X = 2", "2:7: depends on the if of line 2"}, {"X = {'a': 1, 'b': 2}\nif D:\n\tX['a'] = 3", "{'a': …, 'b': 2}"}, {"X = {'a': 1, 'b': 2}\nif D:\n X.update({'a': 3, 'c': 4})", "{'a': …, 'b': 2, 'c': …}"}, {"X = [1]\nif D:\n  X += [2]\n", "[1, …]"}, {"X = (1,)\nif D:\n  X += (2,)\n", "(1, …)"}, {"X = [1]\nfor a in b:\n  X.append(a)", "[1, …]"}, {"X = ['a', 'b']\nif D: X.remove('a')", "[…, 'b']"}, {"X = {'a': 1}\nif D: del X['a']", "{'a': …}"}, {"X = 1\nif D: del X", "2:11: depends on the if of line 2"},
		{"X = 1\ntry:\n  import y\nexcept ImportError:\n  X = 2\nZ = 1", "5:3: depends on the except of line 4"}, {"X = 1\nwith a as b, c as d:\n  X = 2", "3:3: depends on the with of line 2"}, {"X = 1\nwhile 1:\n  if 2:\n    pass\n  X = 2", "5:3: depends on the while of line 2"}, {"if D:\n  pass\nX = 1", "1"}, {"X = 1\nmatch D:\n  case 1:\n    X = 2", "4:5: depends on the case of line 3"}, {"match = 1\nX = match", "1"},
		{"X = 1\ndef f():\n  X = 2\n  return X", "1"}, {"X = 1\nclass C(B):\n  X = 2\n  def f(self): X = 3\nY = 2", "1"}, {"X = 1\nasync def f(a, b={'c': 1}):\n  X = 2", "1"}, {"X = 1\ndef X(): pass", "2:5: is set by more than assignments"}, {"X = 1\nfor X in y: pass", "2:5: is set by more than assignments"}, {"X = 1\nprint(X := 2)", "2:7: is set by more than assignments"}, {"X = 1\nwith f() as X: pass", "2:13: is set by more than assignments"}, {"X = ['a']\nfor a in X: pass", "['a']"}, {"X = 1\n@d(X)\nclass C: pass", "1"},
		{"from m import X", "m.X"}, {"from m import (a,\n  b as X,)", "m.b"}, {"a = 1; from m import (b as X)", "m.b"}, {"import a.b as X", "a.b"}, {"import X.y", "X"}, {"from . import X", ".X"}, {"from .. m import X", "..m.X"}, {"X = 1\ntry: from m import X\nexcept: pass", "2:20: depends on the try of line 2"}, {"from m import *\nX += ['b']", "[…, 'b']"}, {"from m import *\nX['a'] = 1", "{'a': 1, …}"}, {"from m import *\nX['a']['b'] = 1", "{…}"}, {"from m import X\nX.update({'a': 1})", "{'a': 1, …}"}, {"from m import *\nX.append('b')", "[…, 'b']"}, {"X = f()\nX['a'] = 1", "{'a': 1, …}"}, {"from m import *\nX['a'].append('b')", "{'a': […, 'b'], …}"},
		{"X = {}\nX['a'] = X", "{'a': …}"}, {"X = []\nX.append(X)", "[…]"}, {"X = []\nX += [X]", "[…]"}, {"X = {}\nX.update(a=X)", "{…}"}, {"X = {'a': 1}\nX = {**X, 'b': X}", "{'a': 1, 'b': {'a': 1}}"}, {"X = {'a': {}}\nY = X.copy()\nY['a']['b'] = 1\nY['c'] = 1", "{'a': {'b': 1}}"},
	} {
		if got := shown(mustRead(t, tt.text).Value("X")); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// TestFiles reads several files as one.
func TestFiles(t *testing.T) {
	m := mustRead(t, "X = {'a': 1}\nY = [1]\n", "from .a import *\nX['b'] = 2\n", "from project.b import Y\nfrom project.z import *\nY += [2]\n")
	if got := shown(m.Value("X")) + shown(m.Value("Y")); got != "{'a': 1, 'b': 2}[1, 2]" {
		t.Error(got)
	}
	if len(m.Notes) != 1 || m.Notes[0].Pos.String() != "c.py:2:23" {
		t.Errorf("%v", m.Notes)
	}
}

// TestNotes reads what may change settings without saying which.
func TestNotes(t *testing.T) {
	for text, want := range map[string]string{
		"from .base import *":                            "1:19: from .base import *: that module is not read, and what it sets replaces what is set above",
		"try:\n  from .local import *\nexcept E: pass":   "2:22: from .local import *: that module is not read, and what it sets replaces what is set above",
		"django_heroku.settings(locals())":               "1:24: a call with locals() may change any setting above",
		"globals().update(x)":                            "1:1: a call with globals() may change any setting above",
		"include('a.py', scope=x)":                       "1:1: include(…) may change any setting above",
		"class Common(Configuration):\n  A = 1\n  B = 2": "1:1: the settings in class Common are not read: they depend on which class is used",
		"def f():\n  global X\n  X = 1":                  "2:3: the function f may change settings",
		"class C:\n  name = 1":                           "",
		"print('x')":                                     "",
	} {
		var got []string
		for _, n := range mustRead(t, text).Notes {
			got = append(got, fmt.Sprintf("%d:%d: %s", n.Pos.Line, n.Pos.Column, n.Text))
		}
		if strings.Join(got, "\n") != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}

// TestErrors reads what is no Python.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		"X = [1, 2":                         "a.py:1:5: this bracket is never closed",
		"X = 1)":                            "a.py:1:6: ) closes no bracket",
		"X = (1]":                           "a.py:1:7: ] closes no bracket",
		"Ä = 'x\n":                          "a.py:1:5: this text has no end in its line",
		"X = '''x\n":                        "a.py:1:5: this text has no end",
		"X = f'{'":                          "a.py:1:5: this text has no end",
		"X = 1\n\xff":                       "a.py:2:1: this is not UTF-8",
		"X = '\xff'":                        "a.py:1:5: this text is not UTF-8",
		"X = \x00":                          `a.py:1:5: '\x00' is not a character of Python's`,
		strings.Repeat("(", 101):            "a.py:1:101: brackets are nested more than 100 deep",
		strings.Repeat("#", 1<<20) + "\n":   "a.py: the file is larger than 1 MiB",
		"X = " + strings.Repeat(`f"{`, 102): "a.py:1:5: texts are nested more than 100 deep",
	} {
		_, err := Read(File{"a.py", []byte(text)})
		if err == nil || err.Error() != want {
			t.Errorf("%.30q: %v, want %s", text, err, want)
		}
	}
}

// TestLargeFiles reads large files that repeat what could take more than linear time, and
// names that double. Each takes a fraction of a second.
func TestLargeFiles(t *testing.T) {
	const size = MaxFile / 6
	deep := strings.Repeat("(", 99) + "1" + strings.Repeat(")", 99)
	nested := &strings.Builder{}
	for i := 0; nested.Len() < size-5000; i++ {
		fmt.Fprintf(nested, "%sif x:\n", strings.Repeat(" ", i))
		if i == 1000 {
			for nested.Len() < size-5000 {
				nested.WriteString(strings.Repeat(" ", 1001) + strings.Repeat("X=1;", 2000) + "X=1\n")
			}
		}
	}
	for name, tt := range map[string]struct{ head, line string }{
		"keys":             {"X = {}\n", "X['k%d'] = 1\n"},
		"appended":         {"X = []\n", "X.append(1)\n"},
		"inserted":         {"X = []\n", "X.insert(0, 1)\n"},
		"removed":          {"X = {" + strings.Repeat("'a': 1,", 9000) + "}\n", "del X['a']; X['a'] = 1\n"},
		"doubled":          {"X = [1]\n", "X = X + X\n"},
		"doubled in place": {"X = [1]\n", "X += X\n"},
		"texts":            {"X = 'ab'\n", "X = X + X\n"},
		"f-strings":        {"X = 'ab'\n", "X = f'{X}{X}'\n"},
		"boxes":            {"X = [1]\n", "X = [X]\n"},
		"twice":            {"X = [1]\n", "X = [X, X]\nY = {}; Y['a'] = X\n"},
		"merged":           {"X = {}\n", "X['k%d'] = 1; X = {**X}\n"},
		"brackets":         {"", "X = " + deep + "\n"},
		"classes":          {"", "class C:\n  A = 1\n"},
		"stars":            {"", "from a import *\n"},
		"lambdas":          {"", "X = lambda a, b: a, lambda: 1\n"},
		"one line":         {"X = [", "1, 'a', "},
		"signs":            {"X = ", "-"},
		"sums":             {"X = 1", " + 1"},
		"dots":             {"import a\nX = a", ".b"},
		"f in f":           {"X = f'", "{x}"},
		"quotes":           {"X = ''", " 'a'"},
		"spread":           {"X = [1]\n", "X = [*X, *X]\n"},
		"opened":           {"X = {" + strings.Repeat("'a': 1,", 9000) + "}\n", "X.update(f())\n"},
		"targets":          {"X = 1\n", "A = "},
		"semicolons":       {"", "X=1;"},
		"ends":             {"", "\r"},
		"bare":             {"X = []\n", "a(b)(c)"},
	} {
		b := &strings.Builder{}
		b.WriteString(tt.head)
		for i := 0; b.Len() < size-len(tt.line)-20; i++ {
			if strings.Contains(tt.line, "%d") {
				fmt.Fprintf(b, tt.line, i)
			} else {
				b.WriteString(tt.line)
			}
		}
		b.WriteString(map[string]string{"one line": "]", "signs": "1", "f in f": "'", "targets": "1"}[name])
		checkFast(t, name, b.String())
	}
	checkFast(t, "blocks", nested.String())
}

// checkFast reads a file. What takes more than linear time takes minutes; the rest some seconds, under the race detector on
// a machine that is busy otherwise.
func checkFast(t *testing.T, name, text string) {
	t.Helper()
	start := time.Now()
	m, err := Read(File{"a.py", []byte(text)})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if v := m.Value("X"); v != nil {
		_ = v.Show(100)
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("%s: took %v", name, took)
	} else {
		t.Logf("%s: %v", name, took)
	}
}

// FuzzRead reads anything. It neither fails nor loops, and what is shown of a value has its bound.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		"X = {'a': [1, (2, {3})], **Y}\nX['a'] += [*X]\nX.update(b=timedelta(hours=1))\n", "if a: X = f'{b!r:{c}}' \"d\"\nelse:\n\tX |= {}\n",
		"from .a import (b as c, d)\nclass X(Y): A: int = 1\nlambda x, y=1: z", "X = [a for a in b]; del X[0], X['b']; X.insert(0, 1)", "with a as b, c as d: X = 1\nmatch x:\n case 1: pass\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Read(File{"a.py", text}, File{"b.py", text})
		if err != nil {
			return
		}
		for name, v := range m.names {
			if got := v.Show(50); len(got) > 200 {
				t.Errorf("%s: %d bytes", name, len(got))
			}
		}
	})
}

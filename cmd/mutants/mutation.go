package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// mutation is a small change of the syntax of a file.
type mutation struct {
	file     string // relative to the module
	pkg      string // as ./core
	function string // in which it is, as (*Pool).run
	change   string // what it does, in one line; unique within the function
	line     int    // for the reader: it plays no part in the name

	from, to int // the bytes of the file that are replaced
	with     string
}

// String returns the mutation's name, which stays the same while code around its
// function changes.
func (m mutation) String() string {
	return m.file + " " + m.function + ": " + m.change
}

// apply returns the changed text of the file.
func (m mutation) apply(text []byte) []byte {
	return slices.Concat(text[:m.from], []byte(m.with), text[m.to:])
}

// mutator finds the mutations of one file.
type mutator struct {
	file, pkg string
	text      []byte
	positions *token.FileSet
	function  string
	results   *ast.FieldList // of the function
	found     []mutation
}

// mutations returns every mutation of a file, in the order of the text.
func mutations(file, pkg string, text []byte) ([]mutation, error) {
	m := mutator{file: file, pkg: pkg, text: text, positions: token.NewFileSet()}
	tree, err := parser.ParseFile(m.positions, file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range tree.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		m.function, m.results = functionName(f), f.Type.Results
		ast.Inspect(f.Body, m.visit)
	}
	number(m.found)
	return m.found, nil
}

// functionName returns the name of a function, with its receiver.
func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	pointer, ok := receiver.(*ast.StarExpr)
	if ok {
		receiver = pointer.X
	}
	name := "?"
	switch r := receiver.(type) {
	case *ast.Ident:
		name = r.Name
	case *ast.IndexExpr:
		if generic, ok := r.X.(*ast.Ident); ok {
			name = generic.Name
		}
	}
	if pointer != nil {
		return "(*" + name + ")." + f.Name.Name
	}
	return name + "." + f.Name.Name
}

// number makes the changes of a function unique: the second of a kind gets "#2".
func number(all []mutation) {
	seen := make(map[string]int)
	for i := range all {
		name := all[i].String()
		if seen[name]++; seen[name] > 1 {
			all[i].change += " #" + strconv.Itoa(seen[name])
		}
	}
}

// source returns the text of a node, in one line.
func (m *mutator) source(n ast.Node) string {
	text := string(m.text[m.offset(n.Pos()):m.offset(n.End())])
	return strings.Join(strings.Fields(text), " ")
}

func (m *mutator) offset(p token.Pos) int { return m.positions.Position(p).Offset }

// add records a mutation that replaces what is between two positions.
func (m *mutator) add(from, to token.Pos, with, change string, args ...any) {
	m.found = append(m.found, mutation{
		file: m.file, pkg: m.pkg, function: m.function, change: fmt.Sprintf(change, args...),
		line: m.positions.Position(from).Line, from: m.offset(from), to: m.offset(to), with: with,
	})
}

// swapped are the operators that stand for each other.
var swapped = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL,
}

// visit records the mutations of a node, and tells whether those below count.
func (m *mutator) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if to, ok := swapped[n.Op]; ok {
			m.add(n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), to.String(), "%s in %s", to, m.source(n))
		}
	case *ast.UnaryExpr:
		if n.Op == token.NOT {
			m.add(n.OpPos, n.X.Pos(), "", "without the ! of %s", m.source(n))
		}
	case *ast.IfStmt:
		m.condition(n)
	case *ast.BlockStmt:
		m.statements(n.List)
	case *ast.CaseClause:
		m.statements(n.Body)
	case *ast.CommClause:
		m.statements(n.Body)
	case *ast.ReturnStmt:
		m.returned(n)
	case *ast.BasicLit:
		m.literal(n)
	case *ast.Ident:
		if to, ok := map[string]string{"true": "false", "false": "true"}[n.Name]; ok {
			m.add(n.Pos(), n.End(), to, "%s for %s", to, n.Name)
		}
	case *ast.BranchStmt:
		if to, ok := map[token.Token]string{token.BREAK: "continue", token.CONTINUE: "break"}[n.Tok]; ok && n.Label == nil {
			m.add(n.Pos(), n.End(), to, "%s for %s", to, n.Tok)
		}
	case *ast.CallExpr:
		return !logs(n) && !sizes(n)
	}
	return true
}

// condition leaves out the body of an if, or runs it always. What is declared for the
// condition stays in use.
func (m *mutator) condition(n *ast.IfStmt) {
	from, to, text := n.Cond.Pos(), n.Cond.End(), m.source(n.Cond)
	m.add(from, to, "false && ("+text+")", "never if %s", text)
	m.add(from, to, "true || ("+text+")", "always if %s", text)
}

// statements leaves out one of the statements.
func (m *mutator) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok && logs(call) {
				continue
			}
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue // what follows would not compile
			}
		case *ast.DeferStmt, *ast.GoStmt, *ast.IncDecStmt:
		default:
			continue
		}
		m.add(s.Pos(), s.End(), "", "without %s", abbreviated(m.source(s)))
	}
}

// returned drops an error that is returned.
func (m *mutator) returned(n *ast.ReturnStmt) {
	if m.results == nil || len(n.Results) == 0 {
		return
	}
	kind, ok := m.results.List[len(m.results.List)-1].Type.(*ast.Ident)
	last := n.Results[len(n.Results)-1]
	if !ok || kind.Name != "error" || m.source(last) == "nil" {
		return
	}
	m.add(last.Pos(), last.End(), "nil", "nil for the error in %s", abbreviated(m.source(n)))
}

// literal moves a number by one, away from zero.
func (m *mutator) literal(n *ast.BasicLit) {
	if n.Kind != token.INT {
		return
	}
	if value, err := strconv.ParseInt(n.Value, 0, 64); err == nil {
		m.add(n.Pos(), n.End(), strconv.FormatInt(value+1, 10), "%d for %s", value+1, n.Value)
	}
}

// logs tells whether a call writes to the log, whose wording is no behaviour that a
// drawn mutation should question.
func logs(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, f.Sel.Name) {
		return false
	}
	switch x := f.X.(type) {
	case *ast.Ident:
		return strings.Contains(strings.ToLower(x.Name), "log")
	case *ast.SelectorExpr:
		return strings.Contains(strings.ToLower(x.Sel.Name), "log")
	}
	return false
}

// sizes tells whether a call makes something, where numbers are capacities.
func sizes(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.Ident)
	return ok && f.Name == "make"
}

// abbreviated shortens a long text.
func abbreviated(s string) string {
	const longest = 90
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "…"
}

package sqlparse

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/wasilibs/go-pgquery/parser"

	"github.com/agogsaas/gatehouse/internal/migration"
)

// What a migration file never needs; beyond it the parser would take memory that it does not give back.
const (
	maxBytes = 1 << 20
	maxDepth = 200
	// An expression without parentheses makes a tree as deep as it is long: 1 + 1 + 1. So between two commas not more than
	// this many tokens are read. A body between dollar signs is one.
	maxChain      = 2000
	maxStatements = 5000 // and with them the time that finding their lines takes
)

// Parser is PostgreSQL's parser. There is one in the program: the library keeps a copy of it for everybody who reads at
// the same moment, so here one reads after the other.
type Parser struct {
	mu     sync.Mutex
	broken error
}

// New makes a parser that has not been loaded.
func New() *Parser { return &Parser{} }

// Parse reads a file. What PostgreSQL refuses is a *migration.ParseError.
func (p *Parser) Parse(sql string) ([]migration.Parsed, error) {
	if err := tooMuch(sql); err != nil {
		return nil, err
	}
	text, err := p.tree(sql)
	if err != nil {
		return nil, parseError(sql, err)
	}
	var tree struct {
		Stmts []struct {
			Stmt     map[string]json.RawMessage `json:"stmt"`
			Location int                        `json:"stmt_location"`
			Length   int                        `json:"stmt_len"`
		} `json:"stmts"`
	}
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		return nil, fmt.Errorf("reading the parser's answer: %w", err)
	}
	statements := make([]migration.Parsed, 0, len(tree.Stmts))
	for _, s := range tree.Stmts {
		end := s.Location + s.Length
		if s.Length == 0 || end > len(sql) {
			end = len(sql)
		}
		parsed := migration.Parsed{Kind: migration.KindOther}
		for name, body := range s.Stmt {
			if read, ok := readers[name]; ok {
				if err := read(&parsed, body); err != nil {
					return nil, fmt.Errorf("reading %s in the parser's answer: %w", name, err)
				}
			}
		}
		begin := min(s.Location, end)
		if tokens := migration.Tokens(sql[begin:end]); len(tokens) > 0 {
			begin += tokens[0].Offset
		}
		parsed.SQL = strings.TrimSpace(sql[begin:end])
		parsed.Line, parsed.From, parsed.Bytes = migration.LineAt(sql, begin), begin, len(parsed.SQL)
		statements = append(statements, parsed)
	}
	return statements, nil
}

// tooMuch refuses what would make the parser run out of its stack or its memory.
func tooMuch(sql string) error {
	if len(sql) > maxBytes {
		return &migration.ParseError{Line: 1, Message: fmt.Sprintf("the file is larger than %d kB, which is not read", maxBytes>>10)}
	}
	if at := strings.IndexByte(sql, 0); at >= 0 {
		return &migration.ParseError{Line: migration.LineAt(sql, at), Message: "a zero byte is no text"}
	}
	too := func(t migration.Token, what string, most int) error {
		return &migration.ParseError{Line: migration.LineAt(sql, t.Offset), Message: fmt.Sprintf("more than %d %s, which is not read", most, what)}
	}
	chains, statements := []int{0}, 0 // tokens since the last comma, for each open parenthesis
	for _, t := range migration.Tokens(sql) {
		top := len(chains) - 1
		switch t.Text {
		case "(", "[":
			chains[top]++
			chains = append(chains, 0)
		case ")", "]":
			chains = chains[:max(top, 1)]
		case ",":
			chains[top] = 0
		case ";":
			chains[top] = 0
			statements++
		default:
			chains[top]++
		}
		switch top = len(chains) - 1; {
		case top > maxDepth:
			return too(t, "parentheses inside one another", maxDepth)
		case chains[top] > maxChain:
			return too(t, "words without a comma", maxChain)
		case statements > maxStatements:
			return too(t, "statements", maxStatements)
		}
	}
	return nil
}

// tree asks the library. Where its code stops in the middle, the library would hand the same memory to the next caller,
// so nobody is let in again until the program is started anew.
func (p *Parser) tree(sql string) (text string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken != nil {
		return "", p.broken
	}
	defer func() {
		if stopped := recover(); stopped != nil {
			p.broken = fmt.Errorf("PostgreSQL's parser stopped in the middle of a text and reads no more until Gatehouse is started again: %v", stopped)
			err = p.broken
		}
	}()
	text, err = parser.ParseToJSON(sql)
	return text, err
}

func parseError(sql string, err error) error {
	var refused *parser.Error
	if !errors.As(err, &refused) {
		return err
	}
	// The position counts characters, from 1.
	at, left := len(sql), refused.Cursorpos-1
	for i := range sql {
		if left <= 0 {
			at = i
			break
		}
		left--
	}
	return &migration.ParseError{Line: migration.LineAt(sql, at), Message: refused.Message}
}

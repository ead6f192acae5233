package migration

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Token is a piece of SQL that means something: no comment, no white space.
type Token struct {
	// Text is as it stands in the file; words without quotes are in lower case, because PostgreSQL reads them so.
	Text   string
	Offset int // in bytes
	Word   bool
}

// Statement is one statement of a file, without its semicolon.
type Statement struct {
	SQL    string
	Line   int
	Tokens []Token
}

// Normal is the text with LF line ends: a copy with CRLF is the same file.
func Normal(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

// Hash is the SHA-256 of the normal text, in hexadecimal.
func Hash(text string) string { return digest(Normal(text)) }

// TokenHash is the SHA-256 of what the text says to the database: comments and white space outside quotes do not count.
// What stands inside quotes does, function bodies included, because the database keeps it.
func TokenHash(text string) string {
	var b strings.Builder
	for _, t := range Tokens(Normal(text)) {
		b.WriteString(t.Text)
		b.WriteByte(0)
	}
	return digest(b.String())
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

var dollarTag = regexp.MustCompile(`^\$(?:[\p{L}_][\p{L}0-9_]*)?\$`)

// Tokens splits SQL as PostgreSQL's lexer does, as far as finding the ends of things goes.
func Tokens(sql string) []Token {
	var tokens []Token
	for i := 0; i < len(sql); {
		end, counts := next(sql, i)
		if counts {
			text := sql[i:end]
			word := isWordStart(text)
			if word {
				text = strings.ToLower(text)
			}
			tokens = append(tokens, Token{text, i, word})
		}
		i = end
	}
	return tokens
}

// next is where the piece that begins at i ends, and whether it is a token.
func next(sql string, i int) (end int, counts bool) {
	rest := sql[i:]
	switch c := sql[i]; {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
		return i + 1, false
	case strings.HasPrefix(rest, "--"):
		if n := strings.IndexByte(rest, '\n'); n >= 0 {
			return i + n, false
		}
		return len(sql), false
	case strings.HasPrefix(rest, "/*"):
		return blockCommentEnd(sql, i), false
	case (c == 'e' || c == 'E') && strings.HasPrefix(rest[1:], "'"):
		return quoteEnd(sql, i+1, '\'', true), true
	case c == '\'' || c == '"':
		return quoteEnd(sql, i, c, false), true
	case c == '$':
		if tag := dollarTag.FindString(rest); tag != "" {
			if n := strings.Index(rest[len(tag):], tag); n >= 0 {
				return i + len(tag) + n + len(tag), true
			}
			return len(sql), true
		}
		return i + 1, true
	case isWordStart(rest):
		return wordEnd(sql, i), true
	case c >= '0' && c <= '9':
		return numberEnd(sql, i), true
	}
	_, size := utf8.DecodeRuneInString(rest)
	return i + size, true
}

func isWordStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '_' || unicode.IsLetter(r)
}

func wordEnd(sql string, i int) int {
	for i < len(sql) {
		r, size := utf8.DecodeRuneInString(sql[i:])
		if r != '_' && r != '$' && !unicode.IsLetter(r) && (r < '0' || r > '9') {
			break
		}
		i += size
	}
	return i
}

func numberEnd(sql string, i int) int {
	for i < len(sql) && (sql[i] == '.' || sql[i] >= '0' && sql[i] <= '9') {
		i++
	}
	return i
}

func quoteEnd(sql string, i int, quote byte, escapes bool) int {
	for j := i + 1; j < len(sql); j++ {
		switch {
		case escapes && sql[j] == '\\':
			j++
		case sql[j] == quote && j+1 < len(sql) && sql[j+1] == quote:
			j++
		case sql[j] == quote:
			return j + 1
		}
	}
	return len(sql)
}

// blockCommentEnd knows that PostgreSQL's comments nest.
func blockCommentEnd(sql string, i int) int {
	depth := 0
	for j := i; j < len(sql); {
		switch {
		case strings.HasPrefix(sql[j:], "/*"):
			depth, j = depth+1, j+2
		case strings.HasPrefix(sql[j:], "*/"):
			if depth, j = depth-1, j+2; depth == 0 {
				return j
			}
		default:
			j++
		}
	}
	return len(sql)
}

// Split cuts a file into its statements. A semicolon inside parentheses, or inside the BEGIN ATOMIC body of a function,
// ends nothing; psql follows the same two rules.
func Split(sql string) []Statement {
	var statements []Statement
	var current []Token
	parens, begins := 0, 0
	finish := func(end int) {
		if len(current) > 0 {
			start := current[0].Offset
			statements = append(statements, Statement{
				SQL: strings.TrimSpace(sql[start:end]), Line: LineAt(sql, start), Tokens: current,
			})
		}
		current, parens, begins = nil, 0, 0
	}
	for _, t := range Tokens(sql) {
		switch {
		case t.Text == ";" && parens == 0 && begins == 0:
			finish(t.Offset)
			continue
		case t.Text == "(":
			parens++
		case t.Text == ")":
			parens--
		case t.Word && makesRoutine(current):
			begins = max(0, begins+bodyDepth(t.Text, begins))
		}
		current = append(current, t)
	}
	finish(len(sql))
	return statements
}

func bodyDepth(word string, depth int) int {
	switch {
	case word == "begin", word == "case" && depth > 0:
		return 1
	case word == "end":
		return -1
	}
	return 0
}

// makesRoutine says whether a statement that begins so is CREATE [OR REPLACE] FUNCTION or PROCEDURE.
func makesRoutine(tokens []Token) bool {
	for i, t := range tokens {
		switch {
		case i == 0 && t.Text != "create":
			return false
		case t.Text == "function", t.Text == "procedure":
			return true
		case i > 3:
			return false
		}
	}
	return false
}

// LineAt is the line, counted from 1, of a byte offset.
func LineAt(text string, offset int) int {
	return 1 + strings.Count(text[:min(max(offset, 0), len(text))], "\n")
}

// IndexConcurrently says whether the statement makes, remakes or drops an index CONCURRENTLY.
func (s Statement) IndexConcurrently() bool {
	words := make([]string, 4)
	for i := range min(len(words), len(s.Tokens)) {
		words[i] = s.Tokens[i].Text
	}
	switch {
	case words[0] == "reindex":
		return words[2] == "concurrently"
	case words[0] == "create" && words[1] == "unique":
		return words[2] == "index" && words[3] == "concurrently"
	case words[0] == "create", words[0] == "drop":
		return words[1] == "index" && words[2] == "concurrently"
	}
	return false
}

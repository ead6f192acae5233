package migration

import (
	"slices"
	"strings"
)

// refusal says why no file may hold the statement, whatever it is for; empty where it may.
func (s Statement) refusal() string {
	words := make([]string, len(s.Tokens))
	for i, t := range s.Tokens {
		words[i] = t.Text
	}
	begins := func(with ...string) bool { return len(words) >= len(with) && slices.Equal(words[:len(with)], with) }
	switch {
	case slices.Contains(words, `\`):
		return `\: a command of psql; a file is sent to the server as it stands`
	case endsTransaction(words):
		return strings.ToUpper(words[0]) + ": a file is one transaction, which the migrator begins and ends"
	case begins("set", "role"), begins("set", "local", "role"), begins("set", "session", "role"), begins("reset", "role"),
		begins("set", "session", "authorization"), begins("set", "local", "session", "authorization"), begins("reset", "session", "authorization"):
		return strings.ToUpper(strings.Join(words[:2], " ")) + ": the ledger's row is written as the owner, and so is everything before it"
	case begins("alter", "system"):
		return "ALTER SYSTEM: the server's settings are not the schema's"
	case begins("copy") && runsProgram(words):
		return "COPY ... PROGRAM: a migration runs nothing on the server's machine"
	}
	return ""
}

// endsTransaction finds the statements that would tear effect and ledger row apart.
func endsTransaction(words []string) bool {
	switch words[0] {
	case "begin", "start", "commit", "end", "abort":
		return true
	case "rollback":
		return len(words) < 2 || words[1] != "to"
	case "prepare":
		return len(words) > 1 && words[1] == "transaction"
	}
	return false
}

func runsProgram(words []string) bool {
	for i := 1; i < len(words); i++ {
		if words[i] == "program" && (words[i-1] == "from" || words[i-1] == "to") {
			return true
		}
	}
	return false
}

package audit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNearSaysWhatWasMeant: a part of a name, a code and an item without its release find nothing by themselves.
func TestNearSaysWhatWasMeant(t *testing.T) {
	page := Page{Names: []string{"Dana Okafor", "Quinn Adler", "Dana"}, Releases: []Release{{"u2", "REQ-2"}, {"u1", "REQ-1"}}}
	for name, c := range map[string]struct {
		asked Query
		want  []Query
	}{
		"a part of a name":         {Query{Person: "dana", Outcome: Refused}, []Query{{Person: "Dana Okafor", Outcome: Refused}, {Person: "Dana", Outcome: Refused}}},
		"the whole of a name":      {Query{Person: "Quinn Adler"}, nil},
		"an item":                  {Query{ObjectKind: "item", ObjectID: "P1.1"}, []Query{{ObjectKind: "item", ObjectID: "u2/P1.1"}, {ObjectKind: "item", ObjectID: "u1/P1.1"}}},
		"a gate, written large":    {Query{ObjectKind: "Gate", ObjectID: "final", Action: "gate:sign"}, []Query{{ObjectKind: "gate", ObjectID: "u2/final", Action: "gate:sign"}, {ObjectKind: "gate", ObjectID: "u1/final", Action: "gate:sign"}}},
		"an item of a release":     {Query{ObjectKind: "item", ObjectID: "u1/P1.1"}, nil},
		"a release by its code":    {Query{ObjectKind: "release", ObjectID: "REQ-1"}, []Query{{ObjectKind: "release", ObjectID: "u1"}}},
		"a code alone":             {Query{ObjectKind: "REQ-1"}, []Query{{ObjectKind: "release", ObjectID: "u1"}}},
		"an id alone":              {Query{ObjectKind: "u2"}, []Query{{ObjectKind: "release", ObjectID: "u2"}}},
		"something of another":     {Query{ObjectKind: "backup", ObjectID: "b"}, nil},
		"nothing of anything":      {Query{}, nil},
		"a name that nobody has":   {Query{Person: "Zed"}, nil},
		"a release without a name": {Query{ObjectKind: "release", ObjectID: "u9"}, nil},
	} {
		if diff := cmp.Diff(c.want, page.Near(c.asked)); diff != "" {
			t.Errorf("%s: Near (-want +got):\n%s", name, diff)
		}
	}
}

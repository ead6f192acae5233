package demoidp

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Person is somebody who can sign in here.
type Person struct {
	// Username is what is typed: devops.lead@rivermark.
	Username, Password string
	Name, Email        string
	// Tenant is the code of the company; empty leaves the claim out.
	Tenant string
	Groups []string
}

// Subject is the person's sub: stable, and nothing that a name could be confused with.
func (p Person) Subject() string {
	sum := sha256.Sum256([]byte("gatehouse demo person " + p.Username))
	return hex.EncodeToString(sum[:10])
}

// Password is everybody's; it stands on the login page.
const Password = "demo"

type roleName struct{ role, rivermark, saltway string }

// One person per role and company; who appears in documentation and walks keeps the name given here.
var roles = []roleName{
	{"devops_lead", "Dana Okafor", "Sven Aldous"},
	{"devops_engineer", "Eli Brandt", "Tamsin Roe"},
	{"backend_lead", "Bela Novak", "Ulla Marsh"},
	{"frontend_lead", "Femi Castle", "Vito Lang"},
	{"qa_lead", "Quinn Harper", "Wanda Ito"},
	{"qa_engineer", "Rafa Lindt", "Xenia Cole"},
	{"statistical_expert", "Stella Voss", "Yuri Pace"},
	{"product_owner", "Paula Renn", "Zoe Marin"},
	{"on_call_engineer", "Omar Fitch", "Abel Stone"},
	{"warehouse_supervisor", "Wes Tarrant", "Bree Nolan"},
	{"warehouse_staff", "Iris Vega", "Cato Finch"},
	{"viewer", "Vera Lund", "Dora Kemp"},
	{"auditor", "Aurel Quist", "Emil Sand"},
	{"admin", "Ada Morrow", "Flor Beck"},
}

// DemoPeople is one person per role in each of the two demo companies.
func DemoPeople() []Person {
	var people []Person
	for _, company := range []string{"rivermark", "saltway"} {
		for _, r := range roles {
			name := r.rivermark
			if company == "saltway" {
				name = r.saltway
			}
			people = append(people, person(strings.ReplaceAll(r.role, "_", "."), company, name, r.role))
		}
	}
	return people
}

// person makes a demo person of some company with some groups.
func person(local, company, name string, groups ...string) Person {
	return Person{
		Username: local + "@" + company, Password: Password, Name: name, Email: local + "@" + company + ".example",
		Tenant: company, Groups: groups,
	}
}

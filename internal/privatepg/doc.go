// Package privatepg runs a private PostgreSQL cluster for the demo and the tests.
//
// It decides which installed server binaries to use, under which account the
// server runs, where its files are, and what to do with whatever an earlier
// run left behind. It speaks to PostgreSQL only to ask whether it is ready.
//
// The invariants it protects:
//
//   - One program per folder. A lock that the kernel drops with us guards the
//     folder, so a second program can never stop the first one's database.
//   - Data are never deleted and never re-initialised. A folder of another
//     major version is refused with a hint. Only Remove deletes, and only when
//     it is asked to.
//   - No server outlives its program. The server is told to shut down when the
//     thread that started it dies, however that happens.
//   - Nobody but the account that owns the folder (and root) reaches the
//     server, unless a loopback port is asked for.
//
// What lies in the folder:
//
//	data/          the cluster; data.new/ while initdb works on it
//	run/           the socket, in a folder of mode 0700
//	postgres.log   the server's log; postgres.log.1 is the one before
//	lock           held while a program uses the folder
//
// It refuses to know what the databases are for: no schema, no role of ours.
//
// Start reading at Start in server.go; binaries.go, account.go, folder.go,
// initialise.go, stale.go and process.go are its steps in that order.
package privatepg

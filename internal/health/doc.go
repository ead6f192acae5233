// Package health says how the bin optimization is doing, by eight checks.
//
// The thresholds are the requirement's and stand in one place, thresholds.go;
// the sentences people read are made from the same constants that judge. A
// check is a reading (what was found) and a judgement (a pure function of it),
// so that every boundary is tested without a database.
//
// The invariants it protects:
//
//   - Worst wins, and nothing that could not be read is ever green: an error, a
//     hang, an empty cache or a clock that runs backwards is unknown.
//   - Each check has a deadline of its own; one that hangs costs only itself.
//   - What a pending migration has yet to bring is "not deployed": no failure,
//     and not green either. What is missing although its migration counts as
//     applied is unknown.
//   - A scheduler is judged by its last success, never by its last start.
//
// It refuses to know SQL and HTTP: readings come through Warehouse and
// Endpoint, results go to Store. Start reading at Service.Run in service.go,
// then judge.go.
package health

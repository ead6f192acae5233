// Package app wires the house: it reads the configuration, opens the adapters,
// hands them to the services, and the services to the pages. Commands under
// cmd and the browser tests use it; nothing below it knows it.
//
// Start reading at App in app.go: New opens and checks everything, Serve runs
// until its context ends. What makes a database ready for it is package setup.
package app

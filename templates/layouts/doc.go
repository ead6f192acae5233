// Package layouts is the frame every page stands in: the environment stripe,
// the rail with the places a person may go, the heading with its one primary
// action, the flash of what just happened and the reference to quote.
//
// It decides nothing. The edge fills a [Shell]: which places are drawn, who is
// signed in, which style sheet is current. A place that is not in Shell.Nav
// does not exist on the page, so nobody is shown a door they may not open.
//
// Layouts know no component and no page; components and pages may use layouts.
// Start reading at shell.go, then frame.templ.
package layouts

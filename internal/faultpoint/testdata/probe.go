//go:build !inprocess

// Command probe passes two fault points and says how each went.
package main

import (
	"fmt"
	"os"

	"github.com/agogsaas/gatehouse/internal/faultpoint"
)

func main() {
	if len(os.Args) > 1 {
		go func() { _ = faultpoint.Hit("probe.first") }()
		fmt.Println("second", faultpoint.Hit("probe.second"))
		return
	}
	for range 2 {
		fmt.Println("first", faultpoint.Hit("probe.first"))
	}
	fmt.Println("end")
}

//go:build inprocess

// Command probe changes its own faults and says what each point did.
package main

import (
	"errors"
	"fmt"

	"github.com/agogsaas/gatehouse/internal/faultpoint"
)

func main() {
	fmt.Println("before", errors.Is(faultpoint.Hit("probe.first"), faultpoint.ErrInjected))
	restore, err := faultpoint.Arm("probe.second=error")
	if err != nil {
		panic(err)
	}
	fmt.Println("armed", faultpoint.Hit("probe.first") != nil)
	if _, err := faultpoint.Arm("probe.first=nonsense"); err != nil && faultpoint.Hit("probe.second") != nil {
		fmt.Println("broken fault point")
	}
	restore()
	fmt.Println("after", faultpoint.Hit("probe.first") != nil)
}

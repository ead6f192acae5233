package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// What another console of this kind was measured to need, on one machine and as multiples of the prototype there
// (PERFORMANCE 2.5): start 78 ms where the prototype took 8.3, memory 26 MiB where it took 9.6.
const (
	startGoal  = 78.0 / 8.3 / 3 // a third of its start
	memoryGoal = 26.0 / 9.6 * 0.9
	binaryGoal = 45.0 // MB, stripped
)

// starts is P11: from the start of the process to the first byte of its first answer, memory two seconds later, and
// the size of the stripped binary, beside a prototype that does nothing but serve the pages of P3.
func starts(ctx context.Context, b *bench) error {
	s, err := b.open(ctx)
	if err != nil {
		return err
	}
	if err := s.stop(); err != nil { // its address is the one the provider knows, and it must not share the machine
		return err
	}
	b.home.site = nil
	var start, memory []pair
	var ours, theirs sample
	for range b.pairs {
		bare, err := b.startPrototype(ctx)
		if err != nil {
			return err
		}
		bareMemory, err := idle(bare)
		if err != nil {
			return err
		}
		p, err := b.home.serve(ctx, mainDatabase, s.addr)
		if err != nil {
			return err
		}
		used, err := idle(p)
		if err != nil {
			return err
		}
		ours, theirs = append(ours, p.took), append(theirs, bare.took)
		start = append(start, pair{p.took.Seconds(), bare.took.Seconds()})
		memory = append(memory, pair{used, bareMemory})
	}
	b.judge(figure{
		what: "P11 start to first byte", format: "ratio %.2f of the bare prototype", value: ratio(start), goal: startGoal,
		note: fmt.Sprintf("%d pairs; ours %s; prototype %s", len(start), ours, theirs),
	})
	last := memory[len(memory)-1]
	b.judge(figure{
		what: "P11 idle memory, VmRSS", format: "ratio %.2f of the bare prototype", value: ratio(memory), goal: memoryGoal,
		note: fmt.Sprintf("%d pairs; last pair: ours %.1f MiB, prototype %.1f MiB", len(memory), last.ours, last.theirs),
	})
	own, err := os.Stat(b.home.binary)
	if err != nil {
		return err
	}
	small, err := os.Stat(b.home.prototype)
	if err != nil {
		return err
	}
	size := float64(own.Size()) / 1e6
	b.judge(figure{
		what: "P11 stripped binary", format: "%.1f MB", value: size, goal: binaryGoal,
		note: fmt.Sprintf("%.2f of the prototype's %.1f MB; 1.3 times the console it was compared with would be 28.5 MB", size*1e6/float64(small.Size()), float64(small.Size())/1e6),
	})
	p, err := b.home.serve(ctx, mainDatabase, s.addr) // for the rows that follow; the session in the database lives on
	if err != nil {
		return err
	}
	b.home.site = &site{process: p, cookie: s.cookie}
	return nil
}

// idle is the memory of a process that has had two seconds to itself. The process is stopped.
func idle(p *process) (float64, error) {
	time.Sleep(2 * time.Second)
	used, err := p.memory()
	return used, errors.Join(err, p.stop())
}

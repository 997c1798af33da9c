// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"strconv"
)

// checkCosts asks our implementation alone: what was counted is never more than
// what was estimated before, nor less if there is a value.
func checkCosts(command string, seed int64, number int) {
	ours := start(command)
	g := &generator{r: rand.New(rand.NewSource(seed)), isLarge: true}
	evaluated, bounded, wrong := 0, 0, 0
	for done := 0; done < number; done += batch {
		examples := make([]*example, min(batch, number-done))
		for i := range examples {
			examples[i] = g.example()
		}
		for i, line := range ours.lines("cost", examples) {
			var answer []any
			if err := json.Unmarshal(line, &answer); err != nil {
				panic(string(line))
			}
			if answer[0] != "cost" {
				continue
			}
			evaluated++
			counted, least, most := natural(answer[1]), natural(answer[2]), natural(answer[3])
			if most != 1<<64-1 {
				bounded++
			}
			if counted > most || counted < least && answer[4] == true {
				wrong++
				fmt.Printf("%s: counted %d, not %d to %d\n", examples[i], counted, least, most)
			}
		}
	}
	ours.stop()
	fmt.Printf("%d expressions: %d evaluated, %d of them with a limit, %d wrong\n", number, evaluated, bounded, wrong)
	if wrong > 0 {
		os.Exit(1)
	}
}

func natural(text any) uint64 {
	number, err := strconv.ParseUint(text.(string), 10, 64)
	if err != nil {
		panic(err)
	}
	return number
}

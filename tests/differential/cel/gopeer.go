// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"sort"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
)

var plain = map[string]*cel.Type{
	"bool": cel.BoolType, "int": cel.IntType, "uint": cel.UintType, "double": cel.DoubleType,
	"string": cel.StringType, "bytes": cel.BytesType, "timestamp": cel.TimestampType,
	"duration": cel.DurationType, "dyn": cel.DynType,
}

func goType(t *typ) *cel.Type {
	switch t.name {
	case "list":
		return cel.ListType(goType(t.of[0]))
	case "map":
		return cel.MapType(goType(t.of[0]), goType(t.of[1]))
	case "optional":
		return cel.OptionalType(goType(t.of[0]))
	}
	return plain[t.name]
}

func newGoEnv() *cel.Env {
	options := []cel.EnvOption{
		cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true), cel.OptionalTypes(),
		cel.EnableErrorOnBadPresenceTest(true),
		ext.Strings(), ext.Math(), ext.Encoders(), ext.Bindings(), ext.TwoVarComprehensions(),
		cel.ASTValidators(cel.ValidateRegexLiterals()),
	}
	for _, each := range variables {
		options = append(options, cel.Variable(each.name, goType(each.typ)))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		panic(err)
	}
	return env
}

func evaluateInGo(env *cel.Env, text string, values map[string]any) (ref.Val, string) {
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, "refused: " + issues.Err().Error()
	}
	program, err := env.Program(ast)
	if err != nil {
		return nil, "refused: " + err.Error()
	}
	out, _, err := program.Eval(values)
	if err != nil {
		return nil, "error: " + err.Error()
	}
	return out, ""
}

func askGo(env *cel.Env, e *example) answer {
	values := map[string]any{}
	for _, each := range e.used() {
		value, fault := evaluateInGo(env, e.values[each.name], nil)
		if fault != "" {
			panic(e.values[each.name] + ": " + fault)
		}
		values[each.name] = value
	}
	value, fault := evaluateInGo(env, e.tree.String(), values)
	if fault != "" {
		kind, why, _ := strings.Cut(fault, ": ")
		return answer{kind, why}
	}
	return answer{textOf(value), ""}
}

// One text for one value, as textOfJSON has it.
func textOf(value ref.Val) string {
	switch v := value.(type) {
	case types.Null:
		return "null"
	case types.Bool:
		return strconv.FormatBool(bool(v))
	case types.Int:
		return strconv.FormatInt(int64(v), 10)
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10) + "u"
	case types.Double:
		return textOfDouble(float64(v))
	case types.String:
		return strconv.Quote(string(v))
	case types.Bytes:
		return "b" + strconv.Quote(string(v))
	case types.Timestamp:
		return fmt.Sprintf("timestamp(%d.%d)", v.Unix(), v.Nanosecond())
	case types.Duration:
		return fmt.Sprintf("duration(%d)", v.Nanoseconds())
	case *types.Type:
		return "type(" + v.TypeName() + ")"
	case *types.Optional:
		if !v.HasValue() {
			return "none"
		}
		return "optional(" + textOf(v.GetValue()) + ")"
	case traits.Mapper:
		var entries []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			entries = append(entries, textOf(key)+": "+textOf(v.Get(key)))
		}
		return textOfMap(entries)
	case traits.Lister:
		var items []string
		for it := v.Iterator(); it.HasNext() == types.True; {
			items = append(items, textOf(it.Next()))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprintf("%T", value)
}

func textOfDouble(value float64) string {
	return "double " + strconv.FormatFloat(value, 'g', -1, 64)
}

func textOfMap(entries []string) string {
	sort.Strings(entries)
	return "{" + strings.Join(entries, ", ") + "}"
}

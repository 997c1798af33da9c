// SPDX-License-Identifier: Apache-2.0

package main

import "regexp"

// A difference that stays, with what decides. docs/cel.md tells of those that
// somebody may meet. Patterns are of the expression, of what ours and cel-go say:
// a value, or "error: " or "refused: " with the sentence.
type difference struct {
	reason                   string
	expression, ours, golang string
}

var differences = []difference{
	// Both say no, at different times.
	{
		"cel-go checks formats that stand in the expression, ours when it formats",
		`\.format\(`, ``, `^refused: .*(error during formatting|index \d+ out of range|formatting clause|arguments supplied to string.format|unexpected end of string)`,
	},
	{"cel-go counts the numbers of math.least() when it parses", `math\.`, `^error`, `invalid single argument value`},
	{"cel-go checks patterns of members only, ours all that stand in the expression", `matches\(`, `^refused: the pattern`, ``},
	{
		"cel-go asks for an optional, where ours takes what may become one",
		`\?`, `^error`, `^refused: .*expected type 'optional_type\(_var`,
	},
	{
		"of what is in an empty list or map nothing is known; ours and cel-go guess differently",
		`\[\]|\{\}|none\(\)|null\[`, ``, `^(error|refused)`,
	},
	{"of what is in an empty list or map nothing is known; ours refuses more", `\{\}|\[\]`, `^refused`, ``},
	{"ours checks math.least() of three as of two", `math\.(least|greatest)\(`, `^refused: there is no 'math`, `^error`},
	{"ours checks that a map whose fields are named has texts as keys", `\.`, `^refused: a value of type map\(.*has no fields`, `^(error|none|false)`},
	// The specification is silent, or lets both do.
	{"cel-go evaluates what cel.bind names only if it is used", `cel\.bind\(`, `^error`, ``},
	{"cel-go ignores the unused bits of Base64's last character, which RFC 4648 lets a reader refuse", ``, `no Base64`, ``},
	{"large and infinite doubles are written as in format() and JSON, by cel-go as in Go", `string\(`, `^`, `e[+-]\d\d|Inf`},
	{"RFC 3339 lets letters be small", `[tz]'`, `^timestamp`, `^error`},
	{"cel-go reads numbers as Go does: with \"_\", \"nan\" and \"inf\"", `double\(`, `^error: the text is no number`, `^double`},
	{"a precision is for %f and %e; cel-go lets it stand elsewhere", `\.format\(`, `precision is for`, ``},
	{"cel-go makes ints of durations as well", `int\(`, `there is no 'int' for (duration|google.protobuf.Duration)`, ``},
	{"what has no fields has none that could be missing", `\.\?|\[\?`, `^error: a value of type`, `^none`},
	{"a key that no map can have is not there, for cel-go it is an error", `\[`, `^(none|error)`, `^(error|refused): .*invalid qualifier type`},
	{"cel-go asks whether an optional is one when types are checked, ours when it is evaluated", ``, `^(optional\(|none)`, `^error: no such key`},
	{"the body of optFlatMap() is an optional; cel-go does not look at what is dyn", `optFlatMap\(`, `^error: the body`, ``},
	{"two signs are two operations; cel-go drops both when it parses", `--|!!`, `^(error|refused)`, ``},
	{"null is no optional that could be asked", `\.or\(`, `^error: there is no 'or'`, ``},
	{"nothing but numbers can be negated; cel-go negates durations", `-`, `^error: there is no '-' for google.protobuf.Duration`, `^duration`},
	{"hours and minutes of a duration are exact, by cel-go a double", `get(Hours|Minutes|Seconds)\(`, `^-?\d+$`, `^-?\d+$`},
	{"bytes that are no text are U+FFFD in format(); cel-go keeps them in lists and maps", `\.format\(`, `\x{fffd}`, `\\x`},
	{"NaN alone is not the greatest number", `math\.(least|greatest)`, `^error: NaN`, `NaN`},
	{"cel-go cannot subtract the smallest duration", `-`, `^timestamp`, `^error: integer overflow`},
	{"cel-go's zero of timestamps is that of Go, in the year 1", `ofNonZeroValue.*(0001-01-01|1970-01-01T00:00:00Z)`, ``, ``},
	{"types of types are compared by ours as dyn", `type\(`, ``, `^refused: .*matching overload for '_\?_:_' applied to '\(bool, type\(`},
	{"loops are over lists and maps; cel-go goes over a text that is dyn as well", `dyn\(`, `is for a list or a map, not for (string|bytes)`, ``},
	{"a bool is never ordered beside a number; cel-go says false if that is NaN", `[<>]`, `^error: there is no '[<>]=?'`, `^false`},
	{"of an element of an optional ours says what it is when types are checked", `optional`, `^refused: .*optional\(dyn\)`, `^error`},
	{"of an element of null ours says optional(dyn), cel-go dyn", `null`, `^refused: .*optional\(dyn\)`, `^error`},
	{"cel-go does not find what is in an optional that is dyn", `dyn\(optional`, ``, `^error: no such overload`},
	// The specification decides for ours.
	{"the same key may not stand twice; cel-go takes the last", ``, `same key twice`, ``},
	{"keys are of four types; cel-go has any", ``, `cannot be the key of a map`, ``},
	{"a search from behind may begin at the end, which cel-go says is behind it", `lastIndexOf\(.*, \S+\)`, `^\d+$`, `^-1$`},
	{"a search that begins behind the end is an error in the published cases, cel-go says -1", `ndexOf\(`, `outside of the text`, ``},
	{"a zone is two digits, a colon and two digits; cel-go reads others", `get`, `time zone is not known`, ``},
	{"milliseconds of a duration are those of its last second in the published cases, cel-go's all", `getMilliseconds\(`, `^-?\d+$`, `^-?\d+$`},
	{"a duration is written exactly, by cel-go as a double", ``, `\d{6,}\.\d+s`, `\d{6,}(\.\d+)?s`},
	{"a timestamp is a moment; cel-go's remembers its zone", ``, `Z"$`, `[+-]\d\d:\d\d"$`},
	{"a timestamp has nine digits behind the point; cel-go drops others", `99999999Z'`, `^error: the text is no timestamp`, `^timestamp`},
	{"values that no verb asks for are an error; cel-go finds them in literals only", `\.format\(`, `more values than verbs`, `^"`},
	{"a double that equals a key finds it; cel-go not at the smallest int", ` in .*-9223372036854775808`, `^true`, `^false`},
	// Limits, of ours and of cel-go.
	{"classes of Unicode are not known here", `\\pL`, `classes of Unicode`, ``},
	{"the checker of cel-go has no variables whose type is a type", ``, ``, `^refused: .*reference to undefined type`},
}

var compiled = map[string]*regexp.Regexp{}

func matches(pattern, text string) bool {
	if compiled[pattern] == nil {
		compiled[pattern] = regexp.MustCompile("(?s)" + pattern)
	}
	return compiled[pattern].MatchString(text)
}

func (a answer) String() string {
	if a.why == "" {
		return a.what
	}
	return a.what + ": " + a.why
}

// known says why a difference is one that stays, or nothing.
func known(expression string, v verdict) string {
	for _, d := range differences {
		if matches(d.expression, expression) && matches(d.ours, v.ours.String()) && matches(d.golang, v.golang.String()) {
			return d.reason
		}
	}
	return ""
}

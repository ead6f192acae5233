package scan

import "strings"

// gtinLengths are the forms in which a trade item number is printed.
var gtinLengths = []int{8, 12, 13, 14}

func isLengthOfGTIN(n int) bool {
	for _, one := range gtinLengths {
		if n == one {
			return true
		}
	}
	return false
}

// readGTIN reads a trade item number: its digits count, and the last one checks the others.
func readGTIN(number string) (Scan, error) {
	if !digits.MatchString(number) || !isLengthOfGTIN(len(number)) {
		return Scan{}, refuse("%q is no trade item number: it has 8, 12, 13 or 14 digits.", clip(number))
	}
	if strings.Trim(number, "0") == "" {
		return Scan{}, refuse("This trade item number is nothing but zeros. Scan the barcode of the item itself.")
	}
	want := checkDigit(number[:len(number)-1])
	if got := number[len(number)-1]; got != want {
		return Scan{}, refuse("The check digit of %s is wrong: it ends in %c and would have to end in %c. A digit was misread or mistyped; scan again.", number, got, want)
	}
	whole := strings.Repeat("0", 14-len(number)) + number
	return Scan{Kind: TradeItem, GTIN: whole, Level: levelOf(whole)}, nil
}

// checkDigit is the last digit of a trade item number: from the right, the digits before it count three times and once in turn.
func checkDigit(before string) byte {
	sum := 0
	for i := range len(before) {
		digit := int(before[len(before)-1-i] - '0')
		if i%2 == 0 {
			digit *= 3
		}
		sum += digit
	}
	return byte('0' + (10-sum%10)%10)
}

func levelOf(gtin14 string) Level {
	switch gtin14[0] {
	case '0':
		return Each
	case '9':
		return Variable
	}
	return Case
}

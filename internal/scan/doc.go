// Package scan says what a barcode is that a person has scanned, or typed.
//
// It reads trade item numbers (GTIN-8, -12, -13 and -14, each with its check
// digit), the element strings of GS1-128 and its relatives, our own codes, the
// marks of a barcode ruler and the command barcodes. A scan is one of these, or
// it is refused with a sentence that says what is wrong with it.
//
// The invariant it protects: nothing is guessed. A wrong check digit is no
// number, a digit of another script is no digit, and what follows an
// application identifier that is not known here is not taken for something
// else. A scanner that is set wrongly is noticed at the first scan and not
// after a thousand.
//
// It refuses to know what stands behind a code: whether CARTON-7 is a material,
// a bin or a lot, only the database can say.
//
// Start reading at Read in scan.go; gtin.go has the numbers, gs1.go the element
// strings.
package scan

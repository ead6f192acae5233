package components

import "strconv"

// Column is one column of a histogram.
type Column struct {
	Label string // what is counted: "from 5 to 10 %"
	Count int
	Text  string // the count as it is written
	Tone  Tone
}

// Histogram is how things are spread over bands that lie side by side. The table behind it has every number.
type Histogram struct {
	ID      string // of the table, unique on the page
	Title   string
	Of      string   // what is counted: "materials"
	Along   string   // what the axis is, with its unit: "variance of the volume, %"
	Edges   []string // between the columns, one fewer than there are
	Columns []Column
	Text    string // what the picture shows, as a sentence
}

func (h Histogram) x(i int) string { return percentage(100 * float64(i) / float64(len(h.Columns))) }
func (h Histogram) mid(i int) string {
	return percentage(100 * (float64(i) + 0.5) / float64(len(h.Columns)))
}

func (h Histogram) left(i int) string {
	return percentage(100 * (float64(i) + 0.1) / float64(len(h.Columns)))
}
func (h Histogram) width() string       { return percentage(80 / float64(len(h.Columns))) }
func (h Histogram) height(i int) string { return strconv.Itoa(h.tall(i)) }
func (h Histogram) top(i int) string    { return strconv.Itoa(chartFloor - h.tall(i)) }
func (h Histogram) over(i int) string   { return strconv.Itoa(chartFloor - h.tall(i) - 6) }

// The line on which columns stand, and the highest column, in pixels.
const (
	chartFloor = 150
	chartTall  = 126
)

// tall is a column's height; one that counts anything can be seen.
func (h Histogram) tall(i int) int {
	most := 1
	for _, c := range h.Columns {
		most = max(most, c.Count)
	}
	tall := chartTall * h.Columns[i].Count / most
	if h.Columns[i].Count > 0 {
		tall = max(tall, 2)
	}
	return tall
}

// Point is one day of a course.
type Point struct {
	Label   string // "23 Nov"
	Text    string // "81.5 %"
	Percent float64
	Missing bool // nothing was computed, which is not zero
}

// Course is a share from 0 to 100 percent over days, oldest first.
type Course struct {
	ID     string
	Title  string
	Points []Point
	Text   string
}

func (c Course) x(i int) string {
	if len(c.Points) < 2 {
		return "50%"
	}
	return percentage(2 + 96*float64(i)/float64(len(c.Points)-1))
}

func (c Course) y(i int) string {
	return strconv.FormatFloat(chartFloor-chartTall*c.Points[i].Percent/100, 'f', 1, 64)
}

// joins says whether a line leads from the point before: over a day that is missing none does.
func (c Course) joins(i int) bool { return i > 0 && !c.Points[i].Missing && !c.Points[i-1].Missing }

func percentage(p float64) string { return strconv.FormatFloat(p, 'f', 2, 64) + "%" }

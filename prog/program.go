package prog

type Program struct{}

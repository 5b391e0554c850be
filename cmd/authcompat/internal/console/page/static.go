package page

import (
	"embed"
	"net/http"
	"strconv"
)

//go:embed static
var static embed.FS

// assets are the files that pages load, by name, with their media types.
func assets() map[string]string {
	return map[string]string{
		"console.css": "text/css; charset=utf-8",
		"console.js":  "text/javascript; charset=utf-8",
		"icon.svg":    "image/svg+xml",
	}
}

// StaticPath is under which the files are that pages load. There is nothing in them that is not public.
const StaticPath = Root + "static/"

// Static returns the handler of StaticPath.
func Static() http.Handler {
	mux := http.NewServeMux()
	for name, media := range assets() {
		text, err := static.ReadFile("static/" + name)
		if err != nil {
			panic(err) // the folder is embedded
		}
		mux.HandleFunc("GET "+StaticPath+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			_, _ = w.Write(text) // a client that left needs no file
		})
	}
	mux.HandleFunc(StaticPath, func(w http.ResponseWriter, r *http.Request) {
		Error(w, r, http.StatusNotFound, "There is no such file.")
	})
	return mux
}

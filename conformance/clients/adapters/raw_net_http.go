// A raw call in Go with net/http, by the client protocol: go run raw_net_http.go
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"time"
)

type asked struct {
	URL    string          `json:"url"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

func vote(call asked) map[string]any {
	client := http.Client{Timeout: 10 * time.Second}
	response, err := client.Post(call.URL+call.Method, "application/json", bytes.NewReader(call.Params))
	if err != nil {
		return map[string]any{"exception": err.Error()}
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return map[string]any{"exception": err.Error()}
	}
	if code, refused := answer["error"]; refused {
		told := answer["error_description"]
		return map[string]any{"error": map[string]any{"code": code, "description": told, "status": response.StatusCode}}
	}
	return map[string]any{"value": answer["result"]}
}

func main() {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var call asked
		json.Unmarshal(lines.Bytes(), &call)
		answer := vote(call)
		answer["client"] = "net/http of " + runtime.Version()
		line, _ := json.Marshal(answer)
		fmt.Println(string(line))
	}
}

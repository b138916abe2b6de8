// SPDX-License-Identifier: LGPL-2.1-or-later

// Has storprepd of this host make an image, keeps it for a while, and gives it back:
// go run targets.go SOCKET PATH BYTES
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

const iface = "io.migprep.Storage."

// Fault is what every error of the interface carries.
type Fault struct {
	Name   string `json:"-"`
	Object string `json:"object"`
	Cause  string `json:"cause"`
	Remedy string `json:"remedy"`
}

func (fault *Fault) Error() string {
	return fmt.Sprintf("%s: %s: %s; %s", fault.Name, fault.Object, fault.Cause, fault.Remedy)
}

// Daemon is one connection; its calls are answered in their order.
type Daemon struct {
	connection net.Conn
	reader     *bufio.Reader
}

// Call sends a request, which ends with a NUL, and fills answer from the reply.
func (daemon *Daemon) Call(method string, parameters, answer interface{}) error {
	request, err := json.Marshal(map[string]interface{}{"method": iface + method, "parameters": parameters})
	if err != nil {
		return err
	}
	if _, err = daemon.connection.Write(append(request, 0)); err != nil {
		return err
	}
	message, err := daemon.reader.ReadBytes(0)
	if err != nil {
		return err
	}
	var reply struct {
		Error      string
		Parameters json.RawMessage
	}
	if err = json.Unmarshal(message[:len(message)-1], &reply); err != nil {
		return err
	}
	if reply.Error != "" {
		fault := &Fault{Name: strings.TrimPrefix(reply.Error, iface)}
		json.Unmarshal(reply.Parameters, fault)
		return fault
	}
	return json.Unmarshal(reply.Parameters, answer)
}

// Lease is as much of the type as is needed here.
type Lease struct {
	Lease            string   `json:"lease"`
	Generation       int64    `json:"generation"`
	RemainingSeconds int64    `json:"remainingSeconds"`
	Paths            []string `json:"paths"`
}

type object map[string]interface{}

func use(daemon *Daemon, path string, bytes int64) error {
	var made, renewed struct{ Lease Lease }
	var released struct{ Kept bool }

	err := daemon.Call("CreateTargets", object{
		"owner": "targets.go", "token": strconv.Itoa(os.Getpid()), "timeoutSeconds": 60,
		"guest":   object{"name": "web1", "uuid": "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"},
		"targets": []object{{"path": path, "format": "qcow2", "virtualSizeBytes": bytes}},
	}, &made)
	if err != nil {
		return err
	}
	name := object{"lease": made.Lease.Lease, "generation": made.Lease.Generation}
	fmt.Println("made", strings.Join(made.Lease.Paths, " "))
	if err = daemon.Call("Renew", object{"lease": made.Lease.Lease,
		"generation": made.Lease.Generation, "timeoutSeconds": 300}, &renewed); err != nil {
		return err
	}
	fmt.Println("kept for", renewed.Lease.RemainingSeconds > 60)
	if err = daemon.Call("Release", name, &released); err != nil {
		return err
	}
	fmt.Println("given back, kept:", released.Kept)
	return nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: targets SOCKET PATH BYTES")
		os.Exit(2)
	}
	bytes, err := strconv.ParseInt(os.Args[3], 10, 64)
	if err == nil {
		var connection net.Conn
		if connection, err = net.Dial("unix", os.Args[1]); err == nil {
			defer connection.Close()
			err = use(&Daemon{connection, bufio.NewReader(connection)}, os.Args[2], bytes)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "targets:", err)
		os.Exit(1)
	}
}

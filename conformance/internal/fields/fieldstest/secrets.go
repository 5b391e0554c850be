// Package fieldstest has exchanges with secrets in every place and form that was ever found to be overlooked.
package fieldstest

import (
	"encoding/base64"
	"net/url"

	"github.com/authcompat/authcompat/conformance/wire"
)

// An Exchange is a request with its response.
type Exchange struct {
	Request  wire.Request
	Response wire.Response
}

func call(method, path, body string, status int, answer string, headers ...string) Exchange {
	e := Exchange{Request: wire.Request{Method: method, Path: path, Body: []byte(body)},
		Response: wire.Response{Status: status, Body: []byte(answer), Headers: []wire.Header{{Name: "Content-Type", Value: "application/json"}}}}
	for i := 0; i < len(headers); i += 2 {
		e.Request.Headers = append(e.Request.Headers, wire.Header{Name: headers[i], Value: headers[i+1]})
	}
	return e
}

func answered(e Exchange, name, value string) Exchange {
	e.Response.Headers = append(e.Response.Headers, wire.Header{Name: name, Value: value})
	return e
}

const asJSON = "application/json"

func q(kind, body string, status int, answer string) Exchange {
	return call("POST", "/x", body, status, answer, "Content-Type", kind)
}

// Unnamed returns exchanges as [Secrets] does, in which nothing but its form tells a secret.
func Unnamed() map[string]Exchange {
	return map[string]Exchange{
		"a referer's path":         call("GET", "/x", "", 200, `{}`, "Referer", "https://www.example.org/confirm/MQ/3geheim99-99geheim99geheim99/"),
		"a request's last segment": call("GET", "/confirm/3geheim99-99geheim99geheim99?a=1", "", 200, `{}`),
		"an answer's path":         answered(call("GET", "/x", "", 302, `{}`), "Location", "/confirm/MQ/3geheim99-99geheim99geheim99"),
		"resp text token":          q(asJSON, "{}", 200, `Your token is 3geheim99-99geheim99geheim99.`),
		"resp text plain":          q(asJSON, "{}", 200, `3geheim99-99geheim99geheim99`),
		"hdr refresh path":         answered(call("GET", "/x", "", 200, `{}`), "Refresh", "0; url=/confirm/MQ/3geheim99-99geheim99geheim99/"),
	}
}

// Secrets returns exchanges that have secrets within something else, by what that is: JSON in a form, an address in a parameter,
// XML, lines of text, pairs that a semicolon parts, a token behind the word that Authorization wants. Each secret has
// "geheim" or "Stra" in it, and nothing else has.
func Secrets() map[string]Exchange {
	const asForm, parts, xml = "application/x-www-form-urlencoded", "multipart/form-data; boundary=B", "application/xml"
	return map[string]Exchange{
		"xml":                    q(xml, "<root><username>ben</username><password>Strasse geheim99</password></root>", 200, "{}"),
		"xml attr":               q(xml, `<root><password type="string">Strasse-geheim99</password></root>`, 200, "{}"),
		"xml cdata":              q(xml, `<root><password><![CDATA[Strasse-geheim99]]></password></root>`, 200, "{}"),
		"xml ns":                 q(xml, `<r:root><r:password>Strasse-geheim99</r:password></r:root>`, 200, "{}"),
		"xmlrpc":                 q(xml, `<member><name>password</name><value><string>Strasse-geheim99</string></value></member>`, 200, "{}"),
		"xml param":              q(xml, `<param name="password">Strasse-geheim99</param>`, 200, "{}"),
		"xml amp":                q(xml, "<root><password>Strasse&amp;geheim99</password></root>", 200, "{}"),
		"xml comma":              q(xml, "<root><password>Strasse,geheim99</password></root>", 200, "{}"),
		"yaml":                   q("application/yaml", "username: ben\npassword: Strasse geheim99\n", 200, "{}"),
		"yaml quoted":            q("application/yaml", "username: ben\n'password': 'Strasse''s geheim99'\n", 200, "{}"),
		"yaml block":             q("application/yaml", "username: ben\npassword: |\n  Strasse geheim99\n", 200, "{}"),
		"text enc":               q("text/plain", "username=ben\r\npassword=Strasse geheim99\r\n", 200, "{}"),
		"text <":                 q("text/plain", "username=ben\r\npassword=Strasse<>geheim99\r\n", 200, "{}"),
		"form semicolon":         q(asForm, "username=ben;password=Strasse-geheim99", 200, "{}"),
		"form semicolon2":        q(asForm, "username=ben&x=y;password=Strasse-geheim99;z=1", 200, "{}"),
		"query semicolon":        call("GET", "/x?a=b;password=Strasse-geheim99", "", 200, "{}"),
		"matrix":                 call("GET", "/x;jsessionid=3geheim99-99geheim99geheim99", "", 200, "{}"),
		"matrix2":                call("GET", "/x;token=Strasse-geheim99/y?a=1", "", 200, "{}"),
		"json single esc":        q(asJSON, `{'username':'ben','password':'Strasse\'s geheim99'}`, 400, "{}"),
		"json unquoted":          q(asJSON, `{username:ben,password:Strasse geheim99}`, 400, "{}"),
		"json unquoted2":         q(asJSON, `{"username":ben,"password":Strasse geheim99}`, 400, "{}"),
		"json broken esc echoed": q(asJSON, `{"username":"ben","password":"Stra\u00dfe-geheim99",}`, 400, `{"got":"Straße-geheim99"}`),
		"json nested":            q(asJSON, `{"password":{"value":"Strasse geheim99"}}`, 200, "{}"),
		"json nested2":           q(asJSON, `{"password":{"a":{"b":["Strasse geheim99"]}}}`, 200, "{}"),
		"json nested list obj":   q(asJSON, `{"password":[{"value":"Strasse geheim99"}]}`, 200, "{}"),
		"json named":             q(asJSON, `[{"name":"password","value":"Strasse geheim99"}]`, 200, "{}"),
		"json in json":           q(asJSON, `{"data":"{\"username\":\"ben\",\"password\":\"Strasse geheim99\"}"}`, 200, "{}"),
		"json in form":           q(asForm, "data="+url.QueryEscape(`{"username":"ben","password":"Strasse geheim99"}`), 200, "{}"),
		"json in part":           q(parts, "--B\r\nContent-Disposition: form-data; name=\"data\"\r\nContent-Type: application/json\r\n\r\n{\"username\":\"ben\",\"password\":\"Strasse geheim99\"}\r\n--B--\r\n", 200, "{}"),
		"query in json":          q(asJSON, `{"url":"https://h/?token=Strasse-geheim99"}`, 200, "{}"),
		"url in form":            q(asForm, "next="+url.QueryEscape("/reset?token=Strasse-geheim99"), 200, "{}"),
		"url in query":           call("GET", "/x?next="+url.QueryEscape("/reset?token=Strasse-geheim99"), "", 200, "{}"),
		"form no ct <":           call("POST", "/x", "username=ben&password=Strasse+<geheim99", 200, "{}"),
		"form no ct {":           call("POST", "/x", "username=ben&password=Strasse {geheim99", 200, "{}"),
		"form json ct <":         q(asJSON, "username=ben&password=Strasse <geheim99", 200, "{}"),
		"form as octet":          q("application/octet-stream", "user[name]=ben&user[password]=Strasse geheim99", 200, "{}"),
		"part space disp":        q(parts, "--B\r\nContent-Disposition : form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 200, `{}`),
		"json a cd":              q(asJSON, "{\"a\":\"content-disposition:\",\n\n\"password\":\"Strasse geheim99\"}", 200, "{}"),
		"form a cd":              q(asForm, "a=content-disposition:\n\n&password=Strasse-geheim99", 200, "{}"),
		"hdr refresh":            answered(call("GET", "/x", "", 200, `{}`), "Refresh", "0; url=/x?token=Strasse-geheim99"),
		"hdr link rel":           answered(call("GET", "/x", "", 200, `{}`), "Link", "<?token=Strasse-geheim99>; rel=next"),
		"hdr loc semic":          answered(call("GET", "/x", "", 302, `{}`), "Location", "/x?a=b;token=Strasse-geheim99"),
		"hdr loc jsess":          answered(call("GET", "/x", "", 302, `{}`), "Location", "/x;jsessionid=3geheim99-99geheim99geheim99?a=b"),
		"hdr loc next":           answered(call("GET", "/x", "", 302, `{}`), "Location", "/login?next=%2Fx%3Ftoken%3DStrasse-geheim99"),
		"hdr referer next":       call("GET", "/x", "", 200, `{}`, "Referer", "https://h/login?next=%2Fx%3Ftoken%3DStrasse-geheim99"),
		"hdr referer noscheme":   call("GET", "/x", "", 200, `{}`, "X-Original-Url", "x?token=Strasse-geheim99"),
		"hdr cookie2":            call("GET", "/x", "", 200, `{}`, "Cookie2", "a=Strasse-geheim99"),
		"hdr xcookie":            call("GET", "/x", "", 200, `{}`, "X-Cookie", "a=Strasse-geheim99"),
		"hdr setcookie2":         answered(call("GET", "/x", "", 200, `{}`), "Set-Cookie2", "sid=3geheim99-99geheim99geheim99"),
		"hdr resp token word":    answered(call("GET", "/x", "", 200, `{}`), "X-Auth-Token", "Bearer 3geheim99-99geheim99geheim99"),
		"hdr resp auth":          answered(call("GET", "/x", "", 200, `{}`), "Authorization", "Token 3geheim99-99geheim99geheim99"),
		"resp token spaces":      q(asJSON, "{}", 200, `{"token":"Token 3geheim99-99geheim99geheim99"}`),
		"resp xml token cdata":   q(asJSON, "{}", 200, `<root><token><![CDATA[3geheim99-99geheim99geheim99]]></token></root>`),
		"resp new password":      q(asJSON, "{}", 200, `{"new_password":"geheimab"}`),
		"resp colon token":       q(asJSON, "{}", 200, `{"token":"geheim99:99:geheim"}`),
		"resp url token":         q(asJSON, "{}", 200, `{"link":"https://h/x?token=geheim99x"}`),
		"basic latin1":           call("GET", "/x", "", 200, `{"x":"Stra\u00dfe-geheim99"}`, "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("ben:Stra\xdfe-geheim99"))),
		"basic echo":             call("GET", "/x", "", 200, `{"x":"Strasse geheim99"}`, "Authorization", "Basic "+base64.URLEncoding.EncodeToString([]byte("b?>n:Strasse geheim99"))),
		"echo trimmed":           q(asJSON, `{"password":" Strasse geheim99 "}`, 200, `{"x":"Strasse geheim99"}`),
		"kv header":              call("GET", "/x", "", 200, `{}`, "X-Data", "user=ben;password=Strasse-geheim99"),
		"json header":            call("GET", "/x", "", 200, `{}`, "X-Data", `{"token":"Strasse-geheim99"}`),
		"json latin1":            q(asJSON, "{\"username\":\"ben\",\"password\":\"Stra\xdfe geheim99\"}", 400, "{\"got\":\"Stra\xdfe geheim99\"}"),
		"json latin1 as utf8":    q(asJSON, "{\"password\":\"Stra\xdfe geheim99\"}", 400, `{"got":"Straße geheim99"}`),
		"german":                 q(asJSON, `{"kennwort":"Strasse geheim99"}`, 200, "{}"),
		"pw":                     q(asJSON, `{"username":"ben","pw":"Strasse geheim99"}`, 200, "{}"),
		"activation_key":         q(asJSON, `{"activation_key":"geheimab"}`, 200, "{}"),
	}
}

// OddClients returns exchanges as [Secrets] does: bodies as clients send them that are no longer maintained, and addresses in
// headers.
func OddClients() map[string]Exchange {
	const asForm, parts = "application/x-www-form-urlencoded", "multipart/form-data; boundary=B"
	return map[string]Exchange{
		"JSON in Latin-1":             call("POST", "/x", "{\"username\": \"ben\", \"password\": \"Stra\xdfe-geheim99\"}", 400, `{}`, "Content-Type", asJSON),
		"JSON in Latin-1, first byte": call("POST", "/x", "{\"username\": \"ben\", \"password\": \"\xe4Stra-geheim99\"}", 400, `{}`, "Content-Type", asJSON),
		"broken JSON in Latin-1":      call("POST", "/x", "{\"username\": \"ben\", \"password\": \"Stra\xdfe-geheim99\"", 400, `{}`, "Content-Type", asJSON),
		"a form in Latin-1":           call("POST", "/x", "username=ben&password=Stra%DFe-geheim99", 200, `{}`, "Content-Type", asForm),
		"a form in Latin-1, small":    call("POST", "/x", "username=ben&password=Stra%dfe-geheim99", 200, `{}`, "Content-Type", asForm),
		"a form of bytes":             call("POST", "/x", "username=ben&password=Stra\xdfe-geheim99", 200, `{}`, "Content-Type", asForm),
		"a query in Latin-1":          call("GET", "/x?password=Stra%DFe-geheim99", "", 200, `{}`),
		"parts in Latin-1":            call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStra\xdfe-geheim99\r\n--B--\r\n", 200, `{}`, "Content-Type", parts),
		"parts without an end":        call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nben\r\n--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n", 200, `{}`, "Content-Type", parts),
		"parts with a bare end":       call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--B", 200, `{}`, "Content-Type", parts),
		"parts of another boundary":   call("POST", "/x", "--C\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--C--\r\n", 400, `{}`, "Content-Type", parts),
		"parts of no boundary":        call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 400, `{}`, "Content-Type", "multipart/form-data"),
		"parts as text":               call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=password\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 400, `{}`, "Content-Type", "text/plain"),
		"parts with bare newlines":    call("POST", "/x", "--B\nContent-Disposition: form-data; name=\"password\"\n\nStrasse-geheim99\n--B--\n", 400, `{}`, "Content-Type", parts),
		"parts, a broken one first":   call("POST", "/x", "--B\r\nbroken\r\n\r\nben\r\n--B\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 400, `{}`, "Content-Type", parts),
		"a part of another kind":      call("POST", "/x", "--B\r\nContent-Disposition: x; name=\"password\"\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 200, `{}`, "Content-Type", parts),
		"a file":                      call("POST", "/x", "--B\r\nContent-Disposition: form-data; name=\"password\"; filename=\"f\"\r\n\r\nStrasse-geheim99\r\n--B--\r\n", 400, `{}`, "Content-Type", parts),
		"a referer":                   call("GET", "/x", "", 200, `{}`, "Referer", "https://www.example.org/reset?uid=MQ&token=Strasse-geheim99"),
		"a referer in Latin-1":        call("GET", "/x", "", 200, `{}`, "Referer", "/reset?uid=MQ&token=Stra%DFe-geheim99#top"),
		"a referer's fragment":        call("GET", "/x", "", 200, `{}`, "Referer", "https://www.example.org/#token=Strasse-geheim99&state=1"),
		"a referer's password":        call("GET", "/x", "", 200, `{}`, "Referer", "https://ben:Strasse-geheim99@www.example.org/"),
		"another address":             call("GET", "/x", "", 200, `{}`, "X-Original-Uri", "/x?a=1&api_key=Strasse-geheim99"),
		"an answer's fragment":        answered(call("GET", "/x", "", 302, `{}`), "Location", "https://www.example.org/#access_token=Strasse-geheim99&state=1"),
		"an answer's relative query":  answered(call("GET", "/x", "", 302, `{}`), "Location", "?token=Strasse-geheim99"),
		"an answer's password":        answered(call("GET", "/x", "", 302, `{}`), "Content-Location", "https://ben:Strasse-geheim99@www.example.org/"),
		"an answer's links":           answered(call("GET", "/x", "", 200, `{}`), "Link", `<https://www.example.org/?a=1>; rel=prev, <https://www.example.org/?token=Strasse-geheim99>; rel=next`),
	}
}

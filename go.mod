module github.com/go-session2/sessions

go 1.26

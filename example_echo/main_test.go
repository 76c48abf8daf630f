package main

import (
	"testing"

	"github.com/go-session2/sessions/internal/exampleapp/walk"
)

func TestShop(t *testing.T) { walk.Shop(t, newHandler) }

func TestProgram(t *testing.T) { walk.Program(t) }

package main

import (
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/go-session2/sessions/internal/exampleapp/walk"
)

func TestShop(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	walk.Shop(t, newHandler)
}

func TestProgram(t *testing.T) { walk.Program(t) }

func TestStores(t *testing.T) { walk.Stores(t, ".", "../example_echo") }

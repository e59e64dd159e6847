import { defineConfig } from 'vitest/config'

// Each file has a server of its own; two at a time are enough for two cores.
export default defineConfig({ test: { testTimeout: 30_000, hookTimeout: 60_000, maxWorkers: 2 } })

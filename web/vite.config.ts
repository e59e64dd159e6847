import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const server = 'http://localhost:5000';

export default defineConfig({
  base: '/',
  plugins: [react()],
  build: {
    // light-dark() and nesting as written; browsers of the last two years have both.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // The page's policy allows no data: scripts or fonts; assets stay files.
    assetsInlineLimit: 0,
  },
  server: {
    proxy: {
      '/api': { target: server, changeOrigin: false },
      '/ws': { target: server, ws: true, changeOrigin: false },
      '/sse': { target: server, changeOrigin: false },
      '/poll': { target: server, changeOrigin: false },
    },
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'], restoreMocks: true },
});

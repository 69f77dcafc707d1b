// The example program: one file, no dependencies. It listens on $PORT, says whether it is healthy, and ends cleanly.
import { createServer } from 'node:http';

const version = '1';
const greeting = process.env.GREETING ?? 'Hello';

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  response.setHeader('content-type', 'text/plain; charset=utf-8');
  if (pathname === '/healthz') {
    response.end('ok\n');
  } else if (pathname === '/') {
    response.end(`${greeting}, version ${version}\n`);
  } else {
    response.statusCode = 404;
    response.end('not found\n');
  }
});

server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`version ${version} listens on ${server.address().port}`);
});

// On SIGTERM take no new connections, finish the requests at hand, then end.
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});

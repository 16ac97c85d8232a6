import { createServer } from 'node:http';

const PATHS_PER_SERVER = 98;
const SERVERS = 10;

/** A thousand URLs on loopback: `hanging` of them on sockets of their own, so that these alone can fall silent. */
export async function openTargets(hanging) {
  let isSilent = false;
  const answer = (_request, response) => response.end('ok');
  const answerUnlessSilent = (request, response) => {
    if (!isSilent) answer(request, response);
  };
  const servers = await Promise.all([
    ...Array.from({ length: SERVERS }, () => listen(answer)),
    ...Array.from({ length: hanging }, () => listen(answerUnlessSilent)),
  ]);
  const url = (server, path) => `http://127.0.0.1:${server.address().port}${path}`;
  const healthy = servers
    .slice(0, SERVERS)
    .flatMap((server) => Array.from({ length: PATHS_PER_SERVER }, (_, path) => url(server, `/${path}`)));
  return {
    healthy,
    hanging: servers.slice(SERVERS).map((server) => url(server, '/')),
    fallSilent() {
      isSilent = true;
    },
    async close() {
      await Promise.all(
        servers.map((server) => {
          server.closeAllConnections();
          return new Promise((resolve) => server.close(resolve));
        }),
      );
    },
  };
}

async function listen(answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

// A raw call in node with fetch, by the client protocol.
import { createInterface } from 'node:readline'

const name = `fetch of node ${process.version}`

async function call(asked) {
  const response = await fetch(asked.url + asked.method, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(asked.params),
    signal: AbortSignal.timeout(10_000),
  })
  const answer = await response.json()
  if (answer.error) {
    return { error: { code: answer.error, description: answer.error_description, status: response.status } }
  }
  return { value: answer.result }
}

async function answer(asked) {
  const told = await call(asked).catch((error) => ({ exception: String(error) }))
  return { ...told, params: asked.params, client: name, concurrent: true }
}

for await (const line of createInterface({ input: process.stdin })) {
  // Two calls that are made at once come as a list.
  for (const one of await Promise.all([JSON.parse(line)].flat().map(answer))) console.log(JSON.stringify(one))
}

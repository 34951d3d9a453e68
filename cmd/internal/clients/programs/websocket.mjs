// Opens a WebSocket with the runtime's own client: websocket.mjs URL [CA]
const [url, ca] = process.argv.slice(2);
const options = globalThis.Bun ? { tls: { ca: await Bun.file(ca).text() } } : undefined;
const socket = new WebSocket(url, options);
const end = (text) => { console.log(text); process.exit(0); };
socket.onopen = () => { socket.close(); end("connected"); };
socket.onerror = (event) => end(event.message || "error");
socket.onclose = (event) => end(`closed ${event.code} ${event.reason}`);
setTimeout(() => end("timeout"), 5000);

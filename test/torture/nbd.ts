/**
 * A disk as a network block device on a socket: as much of the NBD protocol as libnbd's FUSE client asks for (fixed newstyle handshake, simple replies, read, write, flush). Requests are answered in the
 * order in which they come.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Disk } from './disk.js';

const HANDSHAKE_FLAGS = 0b11; // fixed newstyle, and no padding behind the reply to EXPORT_NAME
const OPTION_MAGIC = Buffer.from('IHAVEOPT');
const REPLY_MAGIC = Buffer.from('0003e889045565a9', 'hex');
const OPTION_EXPORT_NAME = 1;
const OPTION_ABORT = 2;
const OPTION_INFO = 6;
const OPTION_GO = 7;
const REPLY_ACK = 1;
const REPLY_INFO = 3;
const REPLY_UNSUPPORTED = 0x80000001;
/** Has flags, and takes flushes. Without FUA and several connections, so every promise of durability is a flush on this one. */
const EXPORT_FLAGS = 0b101;
const REQUEST_MAGIC = 0x25609513;
const ANSWER_MAGIC = 0x67446698;
const READ = 0;
const WRITE = 1;
const DISCONNECT = 2;
const FLUSH = 3;
const EIO = 5;
const EINVAL = 22;

/** One client: takes bytes as they come, and consumes them as soon as they are a whole message. */
class Connection {
  readonly #socket: Socket;
  readonly #disk: () => Disk;
  #pending: Buffer[] = [];
  #pendingSize = 0;
  #step: () => boolean = () => this.#takeFlags();

  constructor(socket: Socket, disk: () => Disk) {
    this.#socket = socket;
    this.#disk = disk;
    socket.on('error', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      this.#pending.push(bytes);
      this.#pendingSize += bytes.length;
      while (this.#step());
    });
    socket.write(Buffer.concat([Buffer.from('NBDMAGIC'), OPTION_MAGIC, Buffer.from([0, HANDSHAKE_FLAGS])]));
  }

  /** The first bytes that have come, once there are enough of them; they stay. */
  #peek(size: number): Buffer | undefined {
    if (this.#pendingSize < size) return undefined;
    if (this.#pending[0]!.length < size) this.#pending = [Buffer.concat(this.#pending)];
    return this.#pending[0]!.subarray(0, size);
  }

  #drop(size: number): void {
    this.#pending[0] = this.#pending[0]!.subarray(size);
    this.#pendingSize -= size;
  }

  #takeFlags(): boolean {
    if (this.#peek(4) === undefined) return false;
    this.#drop(4);
    this.#step = () => this.#takeOption();
    return true;
  }

  #reply(option: number, type: number, data = Buffer.alloc(0)): void {
    const head = Buffer.alloc(12);
    head.writeUInt32BE(option, 0);
    head.writeUInt32BE(type, 4);
    head.writeUInt32BE(data.length, 8);
    this.#socket.write(Buffer.concat([REPLY_MAGIC, head, data]));
  }

  #export(): Buffer {
    const description = Buffer.alloc(10);
    description.writeBigUInt64BE(BigInt(this.#disk().size), 0);
    description.writeUInt16BE(EXPORT_FLAGS, 8);
    return description;
  }

  #takeOption(): boolean {
    const head = this.#peek(16);
    if (head === undefined) return false;
    const option = head.readUInt32BE(8);
    const size = 16 + head.readUInt32BE(12);
    if (this.#peek(size) === undefined) return false;
    this.#drop(size);
    if (option === OPTION_ABORT) {
      this.#reply(option, REPLY_ACK);
      this.#socket.end();
      return false;
    }
    if (option === OPTION_GO || option === OPTION_INFO) {
      this.#reply(option, REPLY_INFO, Buffer.concat([Buffer.alloc(2), this.#export()]));
      this.#reply(option, REPLY_ACK);
    } else if (option === OPTION_EXPORT_NAME) this.#socket.write(this.#export());
    else this.#reply(option, REPLY_UNSUPPORTED);
    if (option === OPTION_GO || option === OPTION_EXPORT_NAME) this.#step = () => this.#takeRequest();
    return true;
  }

  #answer(cookie: bigint, error: number, data?: Buffer): void {
    const head = Buffer.alloc(16);
    head.writeUInt32BE(ANSWER_MAGIC, 0);
    head.writeUInt32BE(error, 4);
    head.writeBigUInt64BE(cookie, 8);
    this.#socket.write(head);
    if (data !== undefined) this.#socket.write(data);
  }

  #takeRequest(): boolean {
    const head = this.#peek(28);
    if (head === undefined) return false;
    if (head.readUInt32BE(0) !== REQUEST_MAGIC) {
      this.#socket.destroy();
      return false;
    }
    const type = head.readUInt16BE(6);
    const cookie = head.readBigUInt64BE(8);
    const offset = Number(head.readBigUInt64BE(16));
    const length = head.readUInt32BE(24);
    const disk = this.#disk();
    if (type === WRITE) {
      const whole = this.#peek(28 + length);
      if (whole === undefined) return false;
      // A copy: the buffer that it lies in is also that of its neighbours, and would stay as long as the event does.
      const data = Buffer.from(whole.subarray(28));
      this.#drop(28 + length);
      this.#answer(cookie, disk.write(offset, data) ? 0 : EIO);
      return true;
    }
    this.#drop(28);
    if (type === READ) this.#answer(cookie, 0, disk.read(offset, length));
    else if (type === FLUSH) this.#answer(cookie, disk.flush() ? 0 : EIO);
    else if (type === DISCONNECT) this.#socket.end();
    else this.#answer(cookie, EINVAL);
    return type !== DISCONNECT;
  }
}

/** Serves what `disk` returns at the time of each request. */
export function serve(socketPath: string, disk: () => Disk): Promise<Server> {
  const server = createServer((socket) => void new Connection(socket, disk));
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(socketPath, () => resolve(server));
  });
}

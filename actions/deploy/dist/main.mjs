import { createRequire } from "node:module"; const require = createRequire(import.meta.url);
var __create = Object.create;
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __getProtoOf = Object.getPrototypeOf;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __require = /* @__PURE__ */ ((x) => typeof require !== "undefined" ? require : typeof Proxy !== "undefined" ? new Proxy(x, {
  get: (a, b) => (typeof require !== "undefined" ? require : a)[b]
}) : x)(function(x) {
  if (typeof require !== "undefined") return require.apply(this, arguments);
  throw Error('Dynamic require of "' + x + '" is not supported');
});
var __esm = (fn, res, err) => function __init() {
  if (err) throw err[0];
  try {
    return fn && (res = (0, fn[__getOwnPropNames(fn)[0]])(fn = 0)), res;
  } catch (e) {
    throw err = [e], e;
  }
};
var __commonJS = (cb, mod) => function __require2() {
  try {
    return mod || (0, cb[__getOwnPropNames(cb)[0]])((mod = { exports: {} }).exports, mod), mod.exports;
  } catch (e) {
    throw mod = 0, e;
  }
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toESM = (mod, isNodeMode, target) => (target = mod != null ? __create(__getProtoOf(mod)) : {}, __copyProps(
  // If the importer is in node compatibility mode or this is not an ESM
  // file that has been converted to a CommonJS file using a Babel-
  // compatible transform (i.e. "__esModule" has not been set), then set
  // "default" to the CommonJS "module.exports" for node compatibility.
  isNodeMode || !mod || !mod.__esModule ? __defProp(target, "default", { value: mod, enumerable: true }) : target,
  mod
));

// <define:PLATFORM_NAMESPACES>
var define_PLATFORM_NAMESPACES_default;
var init_define_PLATFORM_NAMESPACES = __esm({
  "<define:PLATFORM_NAMESPACES>"() {
    define_PLATFORM_NAMESPACES_default = { production: "dotdo-production", staging: "dotdo-staging", development: "dotdo-development" };
  }
});

// ../node_modules/pend/index.js
var require_pend = __commonJS({
  "../node_modules/pend/index.js"(exports, module) {
    init_define_PLATFORM_NAMESPACES();
    module.exports = Pend;
    function Pend() {
      this.pending = 0;
      this.max = Infinity;
      this.listeners = [];
      this.waiting = [];
      this.error = null;
    }
    Pend.prototype.go = function(fn) {
      if (this.pending < this.max) {
        pendGo(this, fn);
      } else {
        this.waiting.push(fn);
      }
    };
    Pend.prototype.wait = function(cb) {
      if (this.pending === 0) {
        cb(this.error);
      } else {
        this.listeners.push(cb);
      }
    };
    Pend.prototype.hold = function() {
      return pendHold(this);
    };
    function pendHold(self) {
      self.pending += 1;
      var called = false;
      return onCb;
      function onCb(err) {
        if (called) throw new Error("callback called twice");
        called = true;
        self.error = self.error || err;
        self.pending -= 1;
        if (self.waiting.length > 0 && self.pending < self.max) {
          pendGo(self, self.waiting.shift());
        } else if (self.pending === 0) {
          var listeners = self.listeners;
          self.listeners = [];
          listeners.forEach(cbListener);
        }
      }
      function cbListener(listener) {
        listener(self.error);
      }
    }
    function pendGo(self, fn) {
      fn(pendHold(self));
    }
  }
});

// ../node_modules/yauzl/fd-slicer.js
var require_fd_slicer = __commonJS({
  "../node_modules/yauzl/fd-slicer.js"(exports) {
    init_define_PLATFORM_NAMESPACES();
    var fs = __require("fs");
    var util = __require("util");
    var stream = __require("stream");
    var Readable = stream.Readable;
    var PassThrough = stream.PassThrough;
    var Pend = require_pend();
    var EventEmitter = __require("events").EventEmitter;
    exports.BufferSlicer = BufferSlicer;
    exports.FdSlicer = FdSlicer;
    util.inherits(FdSlicer, EventEmitter);
    function FdSlicer(fd) {
      EventEmitter.call(this);
      this.fd = fd;
      this.pend = new Pend();
      this.pend.max = 1;
      this.refCount = 0;
    }
    FdSlicer.prototype.read = function(buffer, offset, length, position, callback) {
      var self = this;
      self.pend.go(function(cb) {
        fs.read(self.fd, buffer, offset, length, position, function(err, bytesRead, buffer2) {
          cb();
          callback(err, bytesRead, buffer2);
        });
      });
    };
    FdSlicer.prototype.createReadStream = function(options2) {
      return new ReadStream(this, options2);
    };
    FdSlicer.prototype.ref = function() {
      this.refCount += 1;
    };
    FdSlicer.prototype.unref = function() {
      var self = this;
      self.refCount -= 1;
      if (self.refCount < 0) throw new Error("invalid unref");
      if (self.refCount > 0) return;
      fs.close(self.fd, onCloseDone);
      function onCloseDone(err) {
        if (err) {
          self.emit("error", err);
        } else {
          self.emit("close");
        }
      }
    };
    util.inherits(ReadStream, Readable);
    function ReadStream(context, options2) {
      options2 = options2 || {};
      Readable.call(this, options2);
      this.context = context;
      this.context.ref();
      this.start = options2.start || 0;
      this.endOffset = options2.end;
      this.pos = this.start;
    }
    ReadStream.prototype._read = function(n) {
      var self = this;
      var toRead = Math.min(self._readableState.highWaterMark, n);
      if (self.endOffset != null) {
        toRead = Math.min(toRead, self.endOffset - self.pos);
      }
      if (toRead <= 0) {
        self.push(null);
        this._cleanup();
        return;
      }
      self.context.pend.go(function(cb) {
        var buffer = Buffer.allocUnsafe(toRead);
        fs.read(self.context.fd, buffer, 0, toRead, self.pos, function(err, bytesRead) {
          if (err) {
            self.destroy(err);
          } else if (bytesRead === 0) {
            self.push(null);
            self._cleanup();
          } else {
            self.pos += bytesRead;
            self.push(buffer.slice(0, bytesRead));
          }
          cb();
        });
      });
    };
    ReadStream.prototype._destroy = function(err, cb) {
      this._cleanup();
      cb(err);
    };
    ReadStream.prototype._cleanup = function() {
      if (this.context != null) {
        this.context.unref();
        this.context = null;
      }
    };
    util.inherits(BufferSlicer, EventEmitter);
    function BufferSlicer(buffer) {
      EventEmitter.call(this);
      this.refCount = 0;
      this.buffer = buffer;
    }
    BufferSlicer.prototype.read = function(buffer, offset, length, position, callback) {
      if (!(0 <= offset && offset <= buffer.length)) throw new RangeError("offset outside buffer: 0 <= " + offset + " <= " + buffer.length);
      if (position < 0) throw new RangeError("position is negative: " + position);
      if (offset + length > buffer.length) {
        length = buffer.length - offset;
      }
      if (position + length > this.buffer.length) {
        length = this.buffer.length - position;
      }
      if (length <= 0) {
        setImmediate(function() {
          callback(null, 0);
        });
        return;
      }
      this.buffer.copy(buffer, offset, position, position + length);
      setImmediate(function() {
        callback(null, length);
      });
    };
    BufferSlicer.prototype.createReadStream = function(options2) {
      options2 = options2 || {};
      var readStream = new PassThrough(options2);
      readStream.start = options2.start || 0;
      readStream.endOffset = options2.end;
      readStream.pos = readStream.endOffset || this.buffer.length;
      var entireSlice = this.buffer.slice(readStream.start, readStream.pos);
      var maxChunkSize = 65536;
      var offset = 0;
      while (true) {
        var nextOffset = offset + maxChunkSize;
        if (nextOffset >= entireSlice.length) {
          if (offset < entireSlice.length) {
            readStream.write(entireSlice.slice(offset, entireSlice.length));
          }
          break;
        }
        readStream.write(entireSlice.slice(offset, nextOffset));
        offset = nextOffset;
      }
      readStream.end();
      return readStream;
    };
    BufferSlicer.prototype.ref = function() {
      this.refCount += 1;
    };
    BufferSlicer.prototype.unref = function() {
      this.refCount -= 1;
      if (this.refCount < 0) {
        throw new Error("invalid unref");
      }
    };
  }
});

// ../node_modules/yauzl/crc32.js
var require_crc32 = __commonJS({
  "../node_modules/yauzl/crc32.js"(exports, module) {
    init_define_PLATFORM_NAMESPACES();
    var CRC_TABLE = new Int32Array([
      0,
      1996959894,
      3993919788,
      2567524794,
      124634137,
      1886057615,
      3915621685,
      2657392035,
      249268274,
      2044508324,
      3772115230,
      2547177864,
      162941995,
      2125561021,
      3887607047,
      2428444049,
      498536548,
      1789927666,
      4089016648,
      2227061214,
      450548861,
      1843258603,
      4107580753,
      2211677639,
      325883990,
      1684777152,
      4251122042,
      2321926636,
      335633487,
      1661365465,
      4195302755,
      2366115317,
      997073096,
      1281953886,
      3579855332,
      2724688242,
      1006888145,
      1258607687,
      3524101629,
      2768942443,
      901097722,
      1119000684,
      3686517206,
      2898065728,
      853044451,
      1172266101,
      3705015759,
      2882616665,
      651767980,
      1373503546,
      3369554304,
      3218104598,
      565507253,
      1454621731,
      3485111705,
      3099436303,
      671266974,
      1594198024,
      3322730930,
      2970347812,
      795835527,
      1483230225,
      3244367275,
      3060149565,
      1994146192,
      31158534,
      2563907772,
      4023717930,
      1907459465,
      112637215,
      2680153253,
      3904427059,
      2013776290,
      251722036,
      2517215374,
      3775830040,
      2137656763,
      141376813,
      2439277719,
      3865271297,
      1802195444,
      476864866,
      2238001368,
      4066508878,
      1812370925,
      453092731,
      2181625025,
      4111451223,
      1706088902,
      314042704,
      2344532202,
      4240017532,
      1658658271,
      366619977,
      2362670323,
      4224994405,
      1303535960,
      984961486,
      2747007092,
      3569037538,
      1256170817,
      1037604311,
      2765210733,
      3554079995,
      1131014506,
      879679996,
      2909243462,
      3663771856,
      1141124467,
      855842277,
      2852801631,
      3708648649,
      1342533948,
      654459306,
      3188396048,
      3373015174,
      1466479909,
      544179635,
      3110523913,
      3462522015,
      1591671054,
      702138776,
      2966460450,
      3352799412,
      1504918807,
      783551873,
      3082640443,
      3233442989,
      3988292384,
      2596254646,
      62317068,
      1957810842,
      3939845945,
      2647816111,
      81470997,
      1943803523,
      3814918930,
      2489596804,
      225274430,
      2053790376,
      3826175755,
      2466906013,
      167816743,
      2097651377,
      4027552580,
      2265490386,
      503444072,
      1762050814,
      4150417245,
      2154129355,
      426522225,
      1852507879,
      4275313526,
      2312317920,
      282753626,
      1742555852,
      4189708143,
      2394877945,
      397917763,
      1622183637,
      3604390888,
      2714866558,
      953729732,
      1340076626,
      3518719985,
      2797360999,
      1068828381,
      1219638859,
      3624741850,
      2936675148,
      906185462,
      1090812512,
      3747672003,
      2825379669,
      829329135,
      1181335161,
      3412177804,
      3160834842,
      628085408,
      1382605366,
      3423369109,
      3138078467,
      570562233,
      1426400815,
      3317316542,
      2998733608,
      733239954,
      1555261956,
      3268935591,
      3050360625,
      752459403,
      1541320221,
      2607071920,
      3965973030,
      1969922972,
      40735498,
      2617837225,
      3943577151,
      1913087877,
      83908371,
      2512341634,
      3803740692,
      2075208622,
      213261112,
      2463272603,
      3855990285,
      2094854071,
      198958881,
      2262029012,
      4057260610,
      1759359992,
      534414190,
      2176718541,
      4139329115,
      1873836001,
      414664567,
      2282248934,
      4279200368,
      1711684554,
      285281116,
      2405801727,
      4167216745,
      1634467795,
      376229701,
      2685067896,
      3608007406,
      1308918612,
      956543938,
      2808555105,
      3495958263,
      1231636301,
      1047427035,
      2932959818,
      3654703836,
      1088359270,
      936918e3,
      2847714899,
      3736837829,
      1202900863,
      817233897,
      3183342108,
      3401237130,
      1404277552,
      615818150,
      3134207493,
      3453421203,
      1423857449,
      601450431,
      3009837614,
      3294710456,
      1567103746,
      711928724,
      3020668471,
      3272380065,
      1510334235,
      755167117
    ]);
    function crc32(buf) {
      let crc = -1;
      for (let x of buf) {
        crc = CRC_TABLE[(crc ^ x) & 255] ^ crc >>> 8;
      }
      return (crc ^ -1) >>> 0;
    }
    module.exports = crc32;
  }
});

// ../node_modules/yauzl/index.js
var require_yauzl = __commonJS({
  "../node_modules/yauzl/index.js"(exports) {
    init_define_PLATFORM_NAMESPACES();
    var fs = __require("fs");
    var zlib = __require("zlib");
    var fd_slicer = require_fd_slicer();
    var util = __require("util");
    var EventEmitter = __require("events").EventEmitter;
    var Transform = __require("stream").Transform;
    var PassThrough = __require("stream").PassThrough;
    var Writable = __require("stream").Writable;
    var crc32 = typeof zlib.crc32 === "function" ? zlib.crc32 : require_crc32();
    exports.open = open;
    exports.fromFd = fromFd;
    exports.fromBuffer = fromBuffer2;
    exports.fromRandomAccessReader = fromRandomAccessReader;
    exports.openPromise = openPromise;
    exports.fromFdPromise = fromFdPromise;
    exports.fromBufferPromise = fromBufferPromise;
    exports.fromRandomAccessReaderPromise = fromRandomAccessReaderPromise;
    exports.dosDateTimeToDate = dosDateTimeToDate;
    exports.getFileNameLowLevel = getFileNameLowLevel;
    exports.validateFileName = validateFileName;
    exports.parseExtraFields = parseExtraFields;
    exports.ZipFile = ZipFile;
    exports.Entry = Entry;
    exports.LocalFileHeader = LocalFileHeader;
    exports.RandomAccessReader = RandomAccessReader;
    function openPromise(path, options2) {
      return new Promise((resolve2, reject) => {
        open(path, { ...options2, lazyEntries: true }, function(err, zipfile) {
          if (err) return reject(err);
          resolve2(zipfile);
        });
      });
    }
    function fromFdPromise(fd, options2) {
      return new Promise((resolve2, reject) => {
        fromFd(fd, { ...options2, lazyEntries: true }, function(err, zipfile) {
          if (err) return reject(err);
          resolve2(zipfile);
        });
      });
    }
    function fromBufferPromise(buffer, options2) {
      return new Promise((resolve2, reject) => {
        fromBuffer2(buffer, { ...options2, lazyEntries: true }, function(err, zipfile) {
          if (err) return reject(err);
          resolve2(zipfile);
        });
      });
    }
    function fromRandomAccessReaderPromise(reader, totalSize, options2) {
      return new Promise((resolve2, reject) => {
        fromRandomAccessReader(reader, totalSize, { ...options2, lazyEntries: true }, function(err, zipfile) {
          if (err) return reject(err);
          resolve2(zipfile);
        });
      });
    }
    function open(path, options2, callback) {
      if (typeof options2 === "function") {
        callback = options2;
        options2 = null;
      }
      if (options2 == null) options2 = {};
      if (options2.autoClose == null) options2.autoClose = true;
      if (options2.lazyEntries == null) options2.lazyEntries = false;
      if (options2.decodeStrings == null) options2.decodeStrings = true;
      if (options2.validateEntrySizes == null) options2.validateEntrySizes = true;
      if (options2.strictFileNames == null) options2.strictFileNames = false;
      if (callback == null) callback = defaultCallback;
      fs.open(path, "r", function(err, fd) {
        if (err) return callback(err);
        fromFd(fd, options2, function(err2, zipfile) {
          if (err2) fs.close(fd, defaultCallback);
          callback(err2, zipfile);
        });
      });
    }
    function fromFd(fd, options2, callback) {
      if (typeof options2 === "function") {
        callback = options2;
        options2 = null;
      }
      if (options2 == null) options2 = {};
      if (options2.autoClose == null) options2.autoClose = false;
      if (options2.lazyEntries == null) options2.lazyEntries = false;
      if (options2.decodeStrings == null) options2.decodeStrings = true;
      if (options2.validateEntrySizes == null) options2.validateEntrySizes = true;
      if (options2.strictFileNames == null) options2.strictFileNames = false;
      if (callback == null) callback = defaultCallback;
      fs.fstat(fd, function(err, stats) {
        if (err) return callback(err);
        var reader = new fd_slicer.FdSlicer(fd);
        fromRandomAccessReader(reader, stats.size, options2, callback);
      });
    }
    function fromBuffer2(buffer, options2, callback) {
      if (typeof options2 === "function") {
        callback = options2;
        options2 = null;
      }
      if (options2 == null) options2 = {};
      options2.autoClose = false;
      if (options2.lazyEntries == null) options2.lazyEntries = false;
      if (options2.decodeStrings == null) options2.decodeStrings = true;
      if (options2.validateEntrySizes == null) options2.validateEntrySizes = true;
      if (options2.strictFileNames == null) options2.strictFileNames = false;
      var reader = new fd_slicer.BufferSlicer(buffer);
      fromRandomAccessReader(reader, buffer.length, options2, callback);
    }
    function fromRandomAccessReader(reader, totalSize, options2, callback) {
      if (typeof options2 === "function") {
        callback = options2;
        options2 = null;
      }
      if (options2 == null) options2 = {};
      if (options2.autoClose == null) options2.autoClose = true;
      if (options2.lazyEntries == null) options2.lazyEntries = false;
      if (options2.decodeStrings == null) options2.decodeStrings = true;
      var decodeStrings = !!options2.decodeStrings;
      if (options2.validateEntrySizes == null) options2.validateEntrySizes = true;
      if (options2.strictFileNames == null) options2.strictFileNames = false;
      if (callback == null) callback = defaultCallback;
      if (typeof totalSize !== "number") throw new Error("expected totalSize parameter to be a number");
      if (totalSize > Number.MAX_SAFE_INTEGER) {
        throw new Error("zip file too large. only file sizes up to 2^52 are supported due to JavaScript's Number type being an IEEE 754 double.");
      }
      reader.ref();
      var eocdrWithoutCommentSize = 22;
      var zip64EocdlSize = 20;
      var maxCommentSize = 65535;
      var bufferSize = Math.min(zip64EocdlSize + eocdrWithoutCommentSize + maxCommentSize, totalSize);
      var buffer = newBuffer(bufferSize);
      var bufferReadStart = totalSize - buffer.length;
      readAndAssertNoEof(reader, buffer, 0, bufferSize, bufferReadStart, function(err) {
        if (err) return callback(err);
        for (var i = bufferSize - eocdrWithoutCommentSize; i >= 0; i -= 1) {
          if (buffer.readUInt32LE(i) !== 101010256) continue;
          var eocdrBuffer = buffer.subarray(i);
          var diskNumber = eocdrBuffer.readUInt16LE(4);
          var entryCount = eocdrBuffer.readUInt16LE(10);
          var centralDirectoryOffset = eocdrBuffer.readUInt32LE(16);
          var commentLength = eocdrBuffer.readUInt16LE(20);
          var expectedCommentLength = eocdrBuffer.length - eocdrWithoutCommentSize;
          if (commentLength !== expectedCommentLength) {
            return callback(new Error("Invalid comment length. Expected: " + expectedCommentLength + ". Found: " + commentLength + ". Are there extra bytes at the end of the file? Or is the end of central dir signature `PK☺☻` in the comment?"));
          }
          var comment = decodeStrings ? decodeBuffer(eocdrBuffer.subarray(22), false) : eocdrBuffer.subarray(22);
          if (i - zip64EocdlSize >= 0 && buffer.readUInt32LE(i - zip64EocdlSize) === 117853008) {
            var zip64EocdlBuffer = buffer.subarray(i - zip64EocdlSize, i - zip64EocdlSize + zip64EocdlSize);
            var zip64EocdrOffset = readUInt64LE(zip64EocdlBuffer, 8);
            var zip64EocdrBuffer = newBuffer(56);
            return readAndAssertNoEof(reader, zip64EocdrBuffer, 0, zip64EocdrBuffer.length, zip64EocdrOffset, function(err2) {
              if (err2) return callback(err2);
              if (zip64EocdrBuffer.readUInt32LE(0) !== 101075792) {
                return callback(new Error("invalid zip64 end of central directory record signature"));
              }
              diskNumber = zip64EocdrBuffer.readUInt32LE(16);
              if (diskNumber !== 0) {
                return callback(new Error("multi-disk zip files are not supported: found disk number: " + diskNumber));
              }
              entryCount = readUInt64LE(zip64EocdrBuffer, 32);
              centralDirectoryOffset = readUInt64LE(zip64EocdrBuffer, 48);
              return callback(null, new ZipFile(reader, centralDirectoryOffset, totalSize, entryCount, comment, options2.autoClose, options2.lazyEntries, decodeStrings, options2.validateEntrySizes, options2.strictFileNames));
            });
          }
          if (diskNumber !== 0) {
            return callback(new Error("multi-disk zip files are not supported: found disk number: " + diskNumber));
          }
          return callback(null, new ZipFile(reader, centralDirectoryOffset, totalSize, entryCount, comment, options2.autoClose, options2.lazyEntries, decodeStrings, options2.validateEntrySizes, options2.strictFileNames));
        }
        callback(new Error("End of central directory record signature not found. Either not a zip file, or file is truncated."));
      });
    }
    util.inherits(ZipFile, EventEmitter);
    function ZipFile(reader, centralDirectoryOffset, fileSize, entryCount, comment, autoClose, lazyEntries, decodeStrings, validateEntrySizes, strictFileNames) {
      var self = this;
      EventEmitter.call(self);
      self.reader = reader;
      self.reader.on("error", function(err) {
        emitError(self, err);
      });
      self.reader.once("close", function() {
        self.emit("close");
      });
      self.readEntryCursor = centralDirectoryOffset;
      self.fileSize = fileSize;
      self.entryCount = entryCount;
      self.comment = comment;
      self.entriesRead = 0;
      self.autoClose = !!autoClose;
      self.lazyEntries = !!lazyEntries;
      self.decodeStrings = !!decodeStrings;
      self.validateEntrySizes = !!validateEntrySizes;
      self.strictFileNames = !!strictFileNames;
      self.isOpen = true;
      self.emittedError = false;
      self.hasEachEntryBeenCalled = false;
      if (!self.lazyEntries) self._readEntry();
    }
    ZipFile.prototype.close = function() {
      if (!this.isOpen) return;
      this.isOpen = false;
      this.reader.unref();
    };
    function emitErrorAndAutoClose(self, err) {
      if (self.autoClose) self.close();
      emitError(self, err);
    }
    function emitError(self, err) {
      if (self.emittedError) return;
      self.emittedError = true;
      self.emit("error", err);
    }
    ZipFile.prototype.readEntry = function() {
      if (!this.lazyEntries) throw new Error("readEntry() called without lazyEntries:true");
      this._readEntry();
    };
    ZipFile.prototype._readEntry = function() {
      var self = this;
      if (self.entryCount === self.entriesRead) {
        setImmediate(function() {
          if (self.autoClose) self.close();
          if (self.emittedError) return;
          self.emit("end");
        });
        return;
      }
      if (self.emittedError) return;
      var buffer = newBuffer(46);
      readAndAssertNoEof(self.reader, buffer, 0, buffer.length, self.readEntryCursor, function(err) {
        if (err) return emitErrorAndAutoClose(self, err);
        if (self.emittedError) return;
        var entry = new Entry();
        var signature = buffer.readUInt32LE(0);
        if (signature !== 33639248) return emitErrorAndAutoClose(self, new Error("invalid central directory file header signature: 0x" + signature.toString(16)));
        entry.versionMadeBy = buffer.readUInt16LE(4);
        entry.versionNeededToExtract = buffer.readUInt16LE(6);
        entry.generalPurposeBitFlag = buffer.readUInt16LE(8);
        entry.compressionMethod = buffer.readUInt16LE(10);
        entry.lastModFileTime = buffer.readUInt16LE(12);
        entry.lastModFileDate = buffer.readUInt16LE(14);
        entry.crc32 = buffer.readUInt32LE(16);
        entry.compressedSize = buffer.readUInt32LE(20);
        entry.uncompressedSize = buffer.readUInt32LE(24);
        entry.fileNameLength = buffer.readUInt16LE(28);
        entry.extraFieldLength = buffer.readUInt16LE(30);
        entry.fileCommentLength = buffer.readUInt16LE(32);
        entry.internalFileAttributes = buffer.readUInt16LE(36);
        entry.externalFileAttributes = buffer.readUInt32LE(38);
        entry.relativeOffsetOfLocalHeader = buffer.readUInt32LE(42);
        if (entry.generalPurposeBitFlag & 64) return emitErrorAndAutoClose(self, new Error("strong encryption is not supported"));
        self.readEntryCursor += 46;
        buffer = newBuffer(entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength);
        readAndAssertNoEof(self.reader, buffer, 0, buffer.length, self.readEntryCursor, function(err2) {
          if (err2) return emitErrorAndAutoClose(self, err2);
          if (self.emittedError) return;
          entry.fileNameRaw = buffer.subarray(0, entry.fileNameLength);
          var fileCommentStart = entry.fileNameLength + entry.extraFieldLength;
          entry.extraFieldRaw = buffer.subarray(entry.fileNameLength, fileCommentStart);
          entry.fileCommentRaw = buffer.subarray(fileCommentStart, fileCommentStart + entry.fileCommentLength);
          try {
            entry.extraFields = parseExtraFields(entry.extraFieldRaw);
          } catch (err3) {
            return emitErrorAndAutoClose(self, err3);
          }
          if (self.decodeStrings) {
            var isUtf8 = (entry.generalPurposeBitFlag & 2048) !== 0;
            entry.fileComment = decodeBuffer(entry.fileCommentRaw, isUtf8);
            entry.fileName = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, self.strictFileNames);
            var errorMessage = validateFileName(entry.fileName);
            if (errorMessage != null) return emitErrorAndAutoClose(self, new Error(errorMessage));
          } else {
            entry.fileComment = entry.fileCommentRaw;
            entry.fileName = entry.fileNameRaw;
          }
          entry.comment = entry.fileComment;
          self.readEntryCursor += buffer.length;
          self.entriesRead += 1;
          for (var i = 0; i < entry.extraFields.length; i++) {
            var extraField = entry.extraFields[i];
            if (extraField.id !== 1) continue;
            var zip64EiefBuffer = extraField.data;
            var index = 0;
            if (entry.uncompressedSize === 4294967295) {
              if (index + 8 > zip64EiefBuffer.length) {
                return emitErrorAndAutoClose(self, new Error("zip64 extended information extra field does not include uncompressed size"));
              }
              entry.uncompressedSize = readUInt64LE(zip64EiefBuffer, index);
              index += 8;
            }
            if (entry.compressedSize === 4294967295) {
              if (index + 8 > zip64EiefBuffer.length) {
                return emitErrorAndAutoClose(self, new Error("zip64 extended information extra field does not include compressed size"));
              }
              entry.compressedSize = readUInt64LE(zip64EiefBuffer, index);
              index += 8;
            }
            if (entry.relativeOffsetOfLocalHeader === 4294967295) {
              if (index + 8 > zip64EiefBuffer.length) {
                return emitErrorAndAutoClose(self, new Error("zip64 extended information extra field does not include relative header offset"));
              }
              entry.relativeOffsetOfLocalHeader = readUInt64LE(zip64EiefBuffer, index);
              index += 8;
            }
            break;
          }
          if (self.validateEntrySizes && entry.compressionMethod === 0) {
            var expectedCompressedSize = entry.uncompressedSize;
            if (entry.isEncrypted()) {
              expectedCompressedSize += 12;
            }
            if (entry.compressedSize !== expectedCompressedSize) {
              var msg = "compressed/uncompressed size mismatch for stored file: " + entry.compressedSize + " != " + entry.uncompressedSize;
              return emitErrorAndAutoClose(self, new Error(msg));
            }
          }
          self.emit("entry", entry);
          if (!self.lazyEntries) self._readEntry();
        });
      });
    };
    ZipFile.prototype.eachEntry = function() {
      const self = this;
      if (!self.lazyEntries) throw new Error("eachEntry() requires lazyEntries: true");
      if (self.hasEachEntryBeenCalled) throw new Error("eachEntry() must only be called once per ZipFile");
      self.hasEachEntryBeenCalled = true;
      let pendingResolveReject = null;
      self.on("entry", onEntry);
      self.on("end", onEnd);
      self.on("error", onError);
      function cleanup() {
        self.removeListener("entry", onEntry);
        self.removeListener("end", onEnd);
        self.removeListener("error", onError);
        if (self.autoClose) self.close();
      }
      function onEntry(entry) {
        let { resolve: resolve2 } = pendingResolveReject;
        pendingResolveReject = null;
        resolve2({ value: entry });
      }
      function onEnd() {
        let { resolve: resolve2 } = pendingResolveReject;
        pendingResolveReject = null;
        cleanup();
        resolve2({ done: true });
      }
      function onError(err) {
        let { reject } = pendingResolveReject;
        pendingResolveReject = null;
        cleanup();
        reject(err);
      }
      return {
        [Symbol.asyncIterator]() {
          return this;
        },
        next() {
          const promise = new Promise((resolve2, reject) => {
            if (pendingResolveReject != null) throw new Error("next() called before previous Promise was resolved.");
            pendingResolveReject = { resolve: resolve2, reject };
          });
          self.readEntry();
          return promise;
        },
        return(value) {
          cleanup();
          return Promise.resolve({ done: true, value });
        },
        throw(value) {
          cleanup();
          return Promise.reject(value);
        }
      };
    };
    ZipFile.prototype.openReadStream = function(entry, options2, callback) {
      var self = this;
      var relativeStart = 0;
      var relativeEnd = entry.compressedSize;
      if (callback == null) {
        callback = options2;
        options2 = null;
      }
      if (options2 == null) {
        options2 = {};
      } else {
        if (options2.decodeFileData === false) {
          if (options2.decrypt != null) {
            throw new Error("cannot use options.decrypt when options.decodeFileData === false");
          }
          if (options2.decompress != null) {
            throw new Error("cannot use options.decompress when options.decodeFileData === false");
          }
        } else {
          if (options2.decrypt != null) {
            if (!entry.isEncrypted()) {
              throw new Error("options.decrypt can only be specified for encrypted entries. See also option decodeFileData.");
            }
            if (options2.decrypt !== false) throw new Error("invalid options.decrypt value: " + options2.decrypt);
            if (entry.isCompressed()) {
              if (options2.decompress !== false) throw new Error("entry is encrypted and compressed, and options.decompress !== false. See also option decodeFileData.");
            }
          }
          if (options2.decompress != null) {
            if (!entry.isCompressed()) {
              throw new Error("options.decompress can only be specified for compressed entries. See also option decodeFileData.");
            }
            if (!(options2.decompress === false || options2.decompress === true)) {
              throw new Error("invalid options.decompress value: " + options2.decompress);
            }
            decompress = options2.decompress;
          }
        }
        if (options2.start != null) {
          relativeStart = options2.start;
          if (relativeStart < 0) throw new Error("options.start < 0");
          if (relativeStart > entry.compressedSize) throw new Error("options.start > entry.compressedSize");
        }
        if (options2.end != null) {
          relativeEnd = options2.end;
          if (relativeEnd < 0) throw new Error("options.end < 0");
          if (relativeEnd > entry.compressedSize) throw new Error("options.end > entry.compressedSize");
          if (relativeEnd < relativeStart) throw new Error("options.end < options.start");
        }
      }
      var rawMode = options2.decodeFileData === false || // Explicitly requested raw.
      (entry.compressionMethod === 0 || // Naturally without compression.
      entry.compressionMethod === 8 && options2.decompress === false) && (!entry.isEncrypted() || // Naturally without encryption.
      options2.decrypt === false);
      if (options2.start != null || options2.end != null) {
        if (!rawMode) throw new Error("start/end range require options.decodeFileData === false for non-trivial encoded entries.");
      }
      if (!self.isOpen) return callback(new Error("closed"));
      if (entry.isEncrypted() && !rawMode) {
        if (options2.decrypt !== false) return callback(new Error("entry is encrypted, and options.decodeFileData !== false"));
      }
      var decompress;
      if (rawMode) {
        decompress = false;
      } else if (entry.compressionMethod === 8) {
        decompress = options2.decodeFileData !== true;
      } else {
        return callback(new Error("unsupported compression method: " + entry.compressionMethod));
      }
      self.readLocalFileHeader(entry, { minimal: true }, function(err, localFileHeader) {
        if (err) return callback(err);
        self.openReadStreamLowLevel(
          localFileHeader.fileDataStart,
          entry.compressedSize,
          relativeStart,
          relativeEnd,
          decompress,
          entry.uncompressedSize,
          callback
        );
      });
    };
    ZipFile.prototype.openReadStreamLowLevel = function(fileDataStart, compressedSize, relativeStart, relativeEnd, decompress, uncompressedSize, callback) {
      var self = this;
      var fileDataEnd = fileDataStart + compressedSize;
      var readStream = self.reader.createReadStream({
        start: fileDataStart + relativeStart,
        end: fileDataStart + relativeEnd
      });
      var endpointStream = readStream;
      if (decompress) {
        var destroyed = false;
        var inflateFilter = zlib.createInflateRaw();
        readStream.on("error", function(err) {
          setImmediate(function() {
            if (!destroyed) inflateFilter.emit("error", err);
          });
        });
        readStream.pipe(inflateFilter);
        if (self.validateEntrySizes) {
          endpointStream = new AssertByteCountStream(uncompressedSize);
          inflateFilter.on("error", function(err) {
            setImmediate(function() {
              if (!destroyed) endpointStream.emit("error", err);
            });
          });
          inflateFilter.pipe(endpointStream);
        } else {
          endpointStream = inflateFilter;
        }
        installDestroyFn(endpointStream, function() {
          destroyed = true;
          if (inflateFilter !== endpointStream) inflateFilter.unpipe(endpointStream);
          readStream.unpipe(inflateFilter);
          readStream.destroy();
        });
      }
      callback(null, endpointStream);
    };
    ZipFile.prototype.readLocalFileHeader = function(entry, options2, callback) {
      var self = this;
      if (callback == null) {
        callback = options2;
        options2 = null;
      }
      if (options2 == null) options2 = {};
      self.reader.ref();
      var buffer = newBuffer(30);
      readAndAssertNoEof(self.reader, buffer, 0, buffer.length, entry.relativeOffsetOfLocalHeader, function(err) {
        try {
          if (err) return callback(err);
          var signature = buffer.readUInt32LE(0);
          if (signature !== 67324752) {
            return callback(new Error("invalid local file header signature: 0x" + signature.toString(16)));
          }
          var fileNameLength = buffer.readUInt16LE(26);
          var extraFieldLength = buffer.readUInt16LE(28);
          var fileDataStart = entry.relativeOffsetOfLocalHeader + 30 + fileNameLength + extraFieldLength;
          if (fileDataStart + entry.compressedSize > self.fileSize) {
            return callback(new Error("file data overflows file bounds: " + fileDataStart + " + " + entry.compressedSize + " > " + self.fileSize));
          }
          if (options2.minimal) {
            return callback(null, { fileDataStart });
          }
          var localFileHeader = new LocalFileHeader();
          localFileHeader.fileDataStart = fileDataStart;
          localFileHeader.versionNeededToExtract = buffer.readUInt16LE(4);
          localFileHeader.generalPurposeBitFlag = buffer.readUInt16LE(6);
          localFileHeader.compressionMethod = buffer.readUInt16LE(8);
          localFileHeader.lastModFileTime = buffer.readUInt16LE(10);
          localFileHeader.lastModFileDate = buffer.readUInt16LE(12);
          localFileHeader.crc32 = buffer.readUInt32LE(14);
          localFileHeader.compressedSize = buffer.readUInt32LE(18);
          localFileHeader.uncompressedSize = buffer.readUInt32LE(22);
          localFileHeader.fileNameLength = fileNameLength;
          localFileHeader.extraFieldLength = extraFieldLength;
          buffer = newBuffer(fileNameLength + extraFieldLength);
          self.reader.ref();
          readAndAssertNoEof(self.reader, buffer, 0, buffer.length, entry.relativeOffsetOfLocalHeader + 30, function(err2) {
            try {
              if (err2) return callback(err2);
              localFileHeader.fileName = buffer.subarray(0, fileNameLength);
              localFileHeader.extraField = buffer.subarray(fileNameLength);
              return callback(null, localFileHeader);
            } finally {
              self.reader.unref();
            }
          });
        } finally {
          self.reader.unref();
        }
      });
    };
    ZipFile.prototype.openReadStreamPromise = function(entry, options2) {
      return new Promise((resolve2, reject) => {
        this.openReadStream(entry, options2, function(err, readStream) {
          if (err) return reject(err);
          resolve2(readStream);
        });
      });
    };
    ZipFile.prototype.openReadStreamLowLevelPromise = function(fileDataStart, compressedSize, relativeStart, relativeEnd, decompress, uncompressedSize) {
      return new Promise((resolve2, reject) => {
        this.openReadStream(fileDataStart, compressedSize, relativeStart, relativeEnd, decompress, uncompressedSize, function(err, readStream) {
          if (err) return reject(err);
          resolve2(readStream);
        });
      });
    };
    ZipFile.prototype.readLocalFileHeaderPromise = function(entry, options2) {
      return new Promise((resolve2, reject) => {
        this.readLocalFileHeader(entry, options2, function(err, localFileHeader) {
          if (err) return reject(err);
          resolve2(localFileHeader);
        });
      });
    };
    function Entry() {
    }
    Entry.prototype.getLastModDate = function(options2) {
      if (options2 == null) options2 = {};
      if (!options2.forceDosFormat) {
        for (var i = 0; i < this.extraFields.length; i++) {
          var extraField = this.extraFields[i];
          if (extraField.id === 21589) {
            var data = extraField.data;
            if (data.length < 5) continue;
            var flags = data[0];
            var HAS_MTIME = 1;
            if (!(flags & HAS_MTIME)) continue;
            var posixTimestamp = data.readInt32LE(1);
            return new Date(posixTimestamp * 1e3);
          } else if (extraField.id === 10) {
            var data = extraField.data;
            if (data.length !== 32) continue;
            if (data.readUInt16LE(4) !== 1) continue;
            if (data.readUInt16LE(6) !== 24) continue;
            var hundredNanoSecondsSince1601 = data.readUInt32LE(8) + 4294967296 * data.readInt32LE(12);
            var millisecondsSince1970 = hundredNanoSecondsSince1601 / 1e4 - 116444736e5;
            return new Date(millisecondsSince1970);
          }
        }
      }
      return dosDateTimeToDate(this.lastModFileDate, this.lastModFileTime, options2.timezone);
    };
    Entry.prototype.canDecodeFileData = function() {
      return !this.isEncrypted() && (this.compressionMethod === 0 || this.compressionMethod === 8);
    };
    Entry.prototype.isEncrypted = function() {
      return (this.generalPurposeBitFlag & 1) !== 0;
    };
    Entry.prototype.isCompressed = function() {
      return this.compressionMethod === 8;
    };
    function LocalFileHeader() {
    }
    function dosDateTimeToDate(date, time, timezone) {
      var day = date & 31;
      var month = (date >> 5 & 15) - 1;
      var year = (date >> 9 & 127) + 1980;
      var millisecond = 0;
      var second = (time & 31) * 2;
      var minute = time >> 5 & 63;
      var hour = time >> 11 & 31;
      if (timezone == null || timezone === "local") {
        return new Date(year, month, day, hour, minute, second, millisecond);
      } else if (timezone === "UTC") {
        return new Date(Date.UTC(year, month, day, hour, minute, second, millisecond));
      } else {
        throw new Error("unrecognized options.timezone: " + options.timezone);
      }
    }
    function getFileNameLowLevel(generalPurposeBitFlag, fileNameBuffer, extraFields, strictFileNames) {
      var fileName = null;
      for (var i = 0; i < extraFields.length; i++) {
        var extraField = extraFields[i];
        if (extraField.id === 28789) {
          if (extraField.data.length < 6) {
            continue;
          }
          if (extraField.data.readUInt8(0) !== 1) {
            continue;
          }
          var oldNameCrc32 = extraField.data.readUInt32LE(1);
          if (crc32(fileNameBuffer) !== oldNameCrc32) {
            continue;
          }
          fileName = decodeBuffer(extraField.data.subarray(5), true);
          break;
        }
      }
      if (fileName == null) {
        var isUtf8 = (generalPurposeBitFlag & 2048) !== 0;
        fileName = decodeBuffer(fileNameBuffer, isUtf8);
      }
      if (!strictFileNames) {
        fileName = fileName.replace(/\\/g, "/");
      }
      return fileName;
    }
    function validateFileName(fileName) {
      if (fileName.indexOf("\\") !== -1) {
        return "invalid characters in fileName: " + fileName;
      }
      if (/^[a-zA-Z]:/.test(fileName) || /^\//.test(fileName)) {
        return "absolute path: " + fileName;
      }
      if (fileName.split("/").indexOf("..") !== -1) {
        return "invalid relative path: " + fileName;
      }
      return null;
    }
    function parseExtraFields(extraFieldBuffer) {
      var extraFields = [];
      var i = 0;
      while (i < extraFieldBuffer.length - 3) {
        var headerId = extraFieldBuffer.readUInt16LE(i + 0);
        var dataSize = extraFieldBuffer.readUInt16LE(i + 2);
        var dataStart = i + 4;
        var dataEnd = dataStart + dataSize;
        if (dataEnd > extraFieldBuffer.length) throw new Error("extra field length exceeds extra field buffer size");
        var dataBuffer = extraFieldBuffer.subarray(dataStart, dataEnd);
        extraFields.push({
          id: headerId,
          data: dataBuffer
        });
        i = dataEnd;
      }
      return extraFields;
    }
    function readAndAssertNoEof(reader, buffer, offset, length, position, callback) {
      if (length === 0) {
        return setImmediate(function() {
          callback(null, newBuffer(0));
        });
      }
      reader.read(buffer, offset, length, position, function(err, bytesRead) {
        if (err) return callback(err);
        if (bytesRead < length) {
          return callback(new Error("unexpected EOF"));
        }
        callback();
      });
    }
    util.inherits(AssertByteCountStream, Transform);
    function AssertByteCountStream(byteCount) {
      Transform.call(this);
      this.actualByteCount = 0;
      this.expectedByteCount = byteCount;
    }
    AssertByteCountStream.prototype._transform = function(chunk, encoding, cb) {
      this.actualByteCount += chunk.length;
      if (this.actualByteCount > this.expectedByteCount) {
        var msg = "too many bytes in the stream. expected " + this.expectedByteCount + ". got at least " + this.actualByteCount;
        return cb(new Error(msg));
      }
      cb(null, chunk);
    };
    AssertByteCountStream.prototype._flush = function(cb) {
      if (this.actualByteCount < this.expectedByteCount) {
        var msg = "not enough bytes in the stream. expected " + this.expectedByteCount + ". got only " + this.actualByteCount;
        return cb(new Error(msg));
      }
      cb();
    };
    util.inherits(RandomAccessReader, EventEmitter);
    function RandomAccessReader() {
      EventEmitter.call(this);
      this.refCount = 0;
    }
    RandomAccessReader.prototype.ref = function() {
      this.refCount += 1;
    };
    RandomAccessReader.prototype.unref = function() {
      var self = this;
      self.refCount -= 1;
      if (self.refCount > 0) return;
      if (self.refCount < 0) throw new Error("invalid unref");
      self.close(onCloseDone);
      function onCloseDone(err) {
        if (err) return self.emit("error", err);
        self.emit("close");
      }
    };
    RandomAccessReader.prototype.createReadStream = function(options2) {
      if (options2 == null) options2 = {};
      var start = options2.start;
      var end = options2.end;
      if (start === end) {
        var emptyStream = new PassThrough();
        setImmediate(function() {
          emptyStream.end();
        });
        return emptyStream;
      }
      var stream = this._readStreamForRange(start, end);
      var destroyed = false;
      var refUnrefFilter = new RefUnrefFilter(this);
      stream.on("error", function(err) {
        setImmediate(function() {
          if (!destroyed) refUnrefFilter.emit("error", err);
        });
      });
      installDestroyFn(refUnrefFilter, function() {
        stream.unpipe(refUnrefFilter);
        refUnrefFilter.unref();
        stream.destroy();
      });
      var byteCounter = new AssertByteCountStream(end - start);
      refUnrefFilter.on("error", function(err) {
        setImmediate(function() {
          if (!destroyed) byteCounter.emit("error", err);
        });
      });
      installDestroyFn(byteCounter, function() {
        destroyed = true;
        refUnrefFilter.unpipe(byteCounter);
        refUnrefFilter.destroy();
      });
      return stream.pipe(refUnrefFilter).pipe(byteCounter);
    };
    RandomAccessReader.prototype._readStreamForRange = function(start, end) {
      throw new Error("not implemented");
    };
    RandomAccessReader.prototype.read = function(buffer, offset, length, position, callback) {
      var readStream = this.createReadStream({ start: position, end: position + length });
      var writeStream = new Writable();
      var written = 0;
      writeStream._write = function(chunk, encoding, cb) {
        chunk.copy(buffer, offset + written, 0, chunk.length);
        written += chunk.length;
        cb();
      };
      writeStream.on("finish", callback);
      readStream.on("error", function(error) {
        callback(error);
      });
      readStream.pipe(writeStream);
    };
    RandomAccessReader.prototype.close = function(callback) {
      setImmediate(callback);
    };
    util.inherits(RefUnrefFilter, PassThrough);
    function RefUnrefFilter(context) {
      PassThrough.call(this);
      this.context = context;
      this.context.ref();
      this.unreffedYet = false;
    }
    RefUnrefFilter.prototype._flush = function(cb) {
      this.unref();
      cb();
    };
    RefUnrefFilter.prototype.unref = function(cb) {
      if (this.unreffedYet) return;
      this.unreffedYet = true;
      this.context.unref();
    };
    var cp437 = "\0☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼ !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ";
    function decodeBuffer(buffer, isUtf8) {
      if (isUtf8) {
        return buffer.toString("utf8");
      } else {
        var result = "";
        for (var i = 0; i < buffer.length; i++) {
          result += cp437[buffer[i]];
        }
        return result;
      }
    }
    function readUInt64LE(buffer, offset) {
      var lower32 = buffer.readUInt32LE(offset);
      var upper32 = buffer.readUInt32LE(offset + 4);
      return upper32 * 4294967296 + lower32;
    }
    var newBuffer;
    if (typeof Buffer.allocUnsafe === "function") {
      newBuffer = function(len) {
        return Buffer.allocUnsafe(len);
      };
    } else {
      newBuffer = function(len) {
        return new Buffer(len);
      };
    }
    function installDestroyFn(stream, fn) {
      if (typeof stream.destroy === "function") {
        stream._destroy = function(err, cb) {
          fn();
          if (cb != null) cb(err);
        };
      } else {
        stream.destroy = fn;
      }
    }
    function defaultCallback(err) {
      if (err) throw err;
    }
  }
});

// deploy/src/main.ts
init_define_PLATFORM_NAMESPACES();
import { mkdtempSync as mkdtempSync2 } from "node:fs";
import { tmpdir } from "node:os";
import { join as join4, resolve } from "node:path";

// step/failure.ts
init_define_PLATFORM_NAMESPACES();
var ActionFailure = class extends Error {
  /** A short description. */
  title;
  /** What happened, and what to do, a sentence each. */
  lines;
  /** The claims of the run, if it has an OIDC token. */
  claims;
  constructor(title, lines, claims) {
    super([title, ...lines].join("\n"));
    this.title = title;
    this.lines = lines;
    this.claims = claims;
  }
};
var TransientFailure = class extends Error {
  /** How long the server asks to wait, in milliseconds. */
  retryAfter;
  constructor(message, retryAfter2) {
    super(message);
    this.retryAfter = retryAfter2;
  }
};

// step/workflow-commands.ts
init_define_PLATFORM_NAMESPACES();
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { EOL } from "node:os";
var secrets = /* @__PURE__ */ new Set();
function mask(value) {
  if (value !== "") secrets.add(value);
  command(`::add-mask::${escapeMessage(value)}`);
}
function withoutSecrets(text) {
  return [...secrets].reduce((rest, secret) => rest.replaceAll(secret, "***"), text);
}
function annotate(level, title, lines) {
  command(`::${level} title=${escapeProperty(title)}::${escapeMessage(lines.join("\n"))}`);
}
function log(text) {
  write(withoutCommands(text));
}
function setVariable(file, name, value) {
  const delimiter2 = `delimiter_${randomUUID()}`;
  append(file, [`${name}<<${delimiter2}`, value, delimiter2].join(EOL) + EOL);
}
var held;
function stopCommands() {
  const token = randomUUID();
  write(`::stop-commands::${token}`);
  held = [];
  return () => {
    const commands = held ?? [];
    held = void 0;
    for (const line of [`::${token}::`, ...commands]) write(line);
  };
}
function addToSummary(markdown) {
  if (process.env["GITHUB_STEP_SUMMARY"]) append("GITHUB_STEP_SUMMARY", markdown + EOL);
}
function append(file, text) {
  const path = process.env[file];
  if (!path) throw new Error(`${file} is not set: this program runs as a step of GitHub Actions`);
  appendFileSync(path, text, "utf8");
}
function command(line) {
  if (held === void 0) write(line);
  else held.push(line);
}
function write(line) {
  process.stdout.write(line + EOL);
}
function withoutCommands(text) {
  const line = text.replace(new RegExp("\\p{Cc}", "gu"), "�").replaceAll("##[", "##​[");
  return line.trimStart().startsWith("::") ? `​${line.trimStart()}` : line;
}
function escapeMessage(text) {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}
function escapeProperty(text) {
  return escapeMessage(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

// login/src/login.ts
init_define_PLATFORM_NAMESPACES();
import { setTimeout as sleep } from "node:timers/promises";

// step/http.ts
init_define_PLATFORM_NAMESPACES();
var REQUEST_TIMEOUT = 1e4;
var MAX_RESPONSE = 8 * 1024 * 1024;
async function request(send, server, url, init, timeout) {
  let response;
  let text;
  try {
    response = await send(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.timeout(timeout)
    });
    text = await response.text();
  } catch (error) {
    throw new TransientFailure(`${server} (${url.origin}) does not answer: ${causeOf(error)}.`);
  }
  const reply = { status: response.status, json: parse(text) };
  if (reply.status >= 300 && reply.status < 400) {
    throw new ActionFailure(`${server} redirects`, [
      `${url.origin} answers ${url.pathname} with a redirect, which is not followed with a credential.`,
      "Set the address that it redirects to."
    ]);
  }
  if (reply.status === 408 || reply.status === 429 || reply.status >= 500) {
    const detail = problemOf(reply.json)?.detail ?? `It answers with the status ${reply.status}.`;
    throw new TransientFailure(
      `${server} (${url.origin}) cannot answer now. ${detail}`,
      retryAfter(response.headers.get("retry-after"))
    );
  }
  return reply;
}
function problemOf(json) {
  if (!isObject(json) || typeof json["title"] !== "string" || typeof json["detail"] !== "string") return void 0;
  const text = (member) => typeof json[member] === "string" ? json[member] : void 0;
  const notes = Array.isArray(json["notes"]) ? json["notes"].filter((note) => typeof note === "string") : [];
  return {
    title: json["title"],
    detail: json["detail"],
    code: text("code"),
    fix: text("fix"),
    notes,
    request_id: text("request_id")
  };
}
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function parse(text) {
  if (text.length > MAX_RESPONSE) return void 0;
  try {
    return JSON.parse(text);
  } catch {
    return void 0;
  }
}
function retryAfter(header) {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1e3 : void 0;
}
function causeOf(error) {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "the request timed out";
  const { cause } = error;
  if (cause instanceof Error) return "code" in cause ? `${cause.message || "connection failed"} (${String(cause.code)})` : cause.message;
  return error.message;
}

// login/src/oidc-token.ts
init_define_PLATFORM_NAMESPACES();
import { readFileSync } from "node:fs";
function tokenSource(variables) {
  const url = variables["ACTIONS_ID_TOKEN_REQUEST_URL"];
  const bearer = variables["ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
  if (!url || !bearer) throw whyNoToken(variables);
  if (!URL.canParse(url)) {
    throw new ActionFailure("The runner's address for OIDC tokens is not a URL", [
      "ACTIONS_ID_TOKEN_REQUEST_URL is set by the runner: no step may change it."
    ]);
  }
  return { url: new URL(url), bearer };
}
function whyNoToken(variables) {
  if (variables["GITHUB_ACTOR"] === "dependabot[bot]") {
    return new ActionFailure("Dependabot's runs get no OIDC token", [
      "Dependabot started this run. GitHub gives such runs only read permissions, so they cannot deploy.",
      "Skip the job for them with `if: github.actor != 'dependabot[bot]'`: the change is deployed after the merge."
    ]);
  }
  if (isFromFork(variables)) {
    return new ActionFailure("Runs for pull requests from forks get no OIDC token", [
      "The pull request comes from a fork. GitHub gives its runs only read permissions, so they cannot deploy.",
      "Skip the job for them with `if: github.event.pull_request.head.repo.full_name == github.repository`."
    ]);
  }
  return new ActionFailure("The job may not request an OIDC token", [
    "The permission `id-token: write` is missing.",
    "Add `permissions: { contents: read, id-token: write }` to the job. The job that calls a reusable workflow needs it, too."
  ]);
}
function isFromFork(variables) {
  const path = variables["GITHUB_EVENT_PATH"];
  if (!path || !variables["GITHUB_EVENT_NAME"]?.startsWith("pull_request")) return false;
  try {
    const event = JSON.parse(readFileSync(path, "utf8"));
    const head = event.pull_request.head.repo;
    return head === null || head.full_name !== variables["GITHUB_REPOSITORY"];
  } catch {
    return false;
  }
}
async function requestOidcToken(send, source, audience, timeout) {
  const url = new URL(source.url);
  url.searchParams.set("audience", audience);
  const headers = { Authorization: `Bearer ${source.bearer}`, Accept: "application/json" };
  const reply = await request(send, "GitHub's issuer of OIDC tokens", url, { headers }, timeout);
  if (reply.status === 200 && isObject(reply.json) && typeof reply.json["value"] === "string") return reply.json["value"];
  const message = isObject(reply.json) && typeof reply.json["message"] === "string" ? ` It says: ${reply.json["message"]}` : "";
  throw new ActionFailure("GitHub did not issue an OIDC token", [
    `${url.origin} answered with the status ${reply.status}.${message}`,
    "Run the job again. If it fails again, see https://www.githubstatus.com, or the log of your GitHub Enterprise Server."
  ]);
}
function claimsOf(token) {
  try {
    const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
    return isObject(claims) ? claims : {};
  } catch {
    return {};
  }
}

// login/src/login.ts
var RETRIES = 6e4;
var MAX_PAUSE = 16e3;
var SERVER = "The deploy API";
var OTHER_CREDENTIALS = ["CLOUDFLARE_API_KEY", "CF_API_KEY", "CLOUDFLARE_EMAIL", "CF_EMAIL"];
var realWorld = {
  send: (url, init) => fetch(url, init),
  now: () => performance.now(),
  pause: (milliseconds) => sleep(milliseconds)
};
function refuseOtherCredentials(variables) {
  const other = OTHER_CREDENTIALS.filter((name) => variables[name]);
  if (other.length === 0) return;
  throw new ActionFailure("The job has another Cloudflare credential", [
    `wrangler would use ${other.join(" and ")} in place of the deploy token.`,
    "Remove these variables from the workflow, and their secrets from the repository."
  ]);
}
async function logIn(world2, api, audience, source) {
  const deadline = world2.now() + RETRIES;
  for (let tries = 1; ; tries += 1) {
    try {
      const remaining = () => Math.max(1, Math.min(deadline - world2.now(), REQUEST_TIMEOUT));
      const oidc = await requestOidcToken(world2.send, source, audience, remaining());
      world2.mask(oidc);
      return await exchange(world2, api, oidc, remaining());
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const pause = error.retryAfter ?? Math.min(1e3 * 2 ** (tries - 1), MAX_PAUSE);
      if (world2.now() + pause >= deadline) {
        throw new ActionFailure("The deploy API could not be reached", [
          error.message,
          `Gave up after ${tries} ${tries === 1 ? "try" : "tries"}. Run the job again later.`
        ]);
      }
      world2.log(`${error.message} Trying again in ${Math.ceil(pause / 1e3)} s.`);
      await world2.pause(pause);
    }
  }
}
async function exchange(world2, api, oidc, timeout) {
  const init = {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ token: oidc })
  };
  const reply = await request(world2.send, SERVER, new URL("/v1/tokens/exchange", api), init, timeout);
  const json = isObject(reply.json) ? reply.json : {};
  if (typeof json["token"] === "string") world2.mask(json["token"]);
  const claims = claimsOf(oidc);
  if (reply.status !== 200) throw refusal(api, reply, claims);
  const { token, id, expires, account, rules } = json;
  const isComplete = typeof token === "string" && /^dotdo_run_[0-9a-f]{48}$/.test(token) && typeof account === "string" && /^[0-9a-f]{32}$/.test(account) && typeof id === "string" && typeof expires === "string" && Array.isArray(rules);
  if (!isComplete) throw notADeployApi(api, reply);
  return { token, id, expires, account, rules: rules.map(String), claims };
}
function refusal(api, reply, claims) {
  const problem = problemOf(reply.json);
  if (problem === void 0) return notADeployApi(api, reply);
  const lines = [problem.detail, ...problem.notes];
  if (problem.code === "AUTHENTICATION_FAILED") {
    lines.push(
      `The OIDC token has the issuer ${String(claims["iss"])} and the audience ${String(claims["aud"])}. The deploy API accepts those of its variables OIDC_ISSUERS and OIDC_AUDIENCE.`
    );
  }
  if (problem.fix) lines.push(problem.fix);
  if (problem.request_id) lines.push(`Request: ${problem.request_id}`);
  return new ActionFailure(problem.title, lines, claims);
}
function notADeployApi(api, reply) {
  return new ActionFailure("The answer is not that of a deploy API", [
    `${api.origin} answered the exchange of the token with the status ${reply.status} and another document than expected.`,
    "Compare the input api with the address of the deploy API, and update the deploy API if it is older than this action."
  ]);
}

// login/src/summary.ts
init_define_PLATFORM_NAMESPACES();

// step/markup.ts
init_define_PLATFORM_NAMESPACES();
var DIRECTION = /[\u202a-\u202e\u2066-\u2069]/g;
function escape(text) {
  return text.toWellFormed().replace(DIRECTION, "�").replace(new RegExp("\\p{Cc}", "gu"), " ").replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
function shortened(text, longest) {
  return text.length > longest ? `${text.slice(0, longest)} …` : text;
}

// login/src/summary.ts
var CLAIMS = [
  "iss",
  "repository",
  "repository_id",
  "repository_owner_id",
  "ref",
  "ref_protected",
  "environment",
  "event_name",
  "workflow_ref",
  "job_workflow_ref",
  "actor",
  "actor_id",
  "runner_environment"
];
var MAX_LINES = 100;
var LONGEST_LINE = 1e3;
function summaryOf(title, failure) {
  const lines = failure.lines.slice(0, MAX_LINES).map((line) => `<li>${shown(line)}</li>`);
  const hidden2 = failure.lines.length - MAX_LINES;
  if (hidden2 > 0) lines.push(`<li>and ${hidden2} more lines</li>`);
  const parts = [`<h3>${title}: ${escape(failure.title)}</h3>`, `<ul>${lines.join("")}</ul>`];
  if (failure.claims) parts.push(claimsTable(failure.claims));
  return parts.join("\n");
}
function claimsTable(claims) {
  const rows = CLAIMS.filter((name) => claims[name] !== void 0).map(
    (name) => `<tr><td>${name}</td><td><code>${shown(String(claims[name]))}</code></td></tr>`
  );
  return `<details><summary>The claims of this run</summary><table>${rows.join("")}</table></details>`;
}
function shown(text) {
  return escape(shortened(text, LONGEST_LINE));
}

// deploy/src/artifact.ts
init_define_PLATFORM_NAMESPACES();
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

// deploy/src/archive.ts
init_define_PLATFORM_NAMESPACES();
var import_yauzl = __toESM(require_yauzl(), 1);
import { promisify } from "node:util";
var MAX_FILES = 200;
var MAX_SIZE = 32 * 1024 * 1024;
var MODULE = /^(?:[A-Za-z0-9_][\w.@+-]*\/)*[A-Za-z0-9_][\w.@+-]*\.(?:js|mjs|cjs|wasm|txt|html|sql|bin)$/;
var LONGEST_PATH = 200;
var TYPE = 61440;
var REGULAR = [0, 32768];
async function readArchive(archive) {
  const open = promisify(import_yauzl.fromBuffer);
  try {
    const zip = await open(archive, { lazyEntries: true, strictFileNames: true, validateEntrySizes: true });
    return await filesOf(zip);
  } catch (error) {
    if (error instanceof ActionFailure) throw error;
    throw refused(error instanceof Error ? error.message : String(error));
  }
}
async function filesOf(zip) {
  const files = /* @__PURE__ */ new Map();
  const names = /* @__PURE__ */ new Set();
  let size = 0;
  for await (const entry of entriesOf(zip)) {
    const path = entry.fileName;
    if (path.endsWith("/")) continue;
    const type = entry.externalFileAttributes >>> 16 & TYPE;
    if (!REGULAR.includes(type)) throw refused(`${quoted(path)} is a link or another special file`);
    if (path.length > LONGEST_PATH || !MODULE.test(path)) throw refused(`${quoted(path)} is not a module`);
    if (names.has(path.toLowerCase())) throw refused(`${quoted(path)} is there twice`);
    names.add(path.toLowerCase());
    size += entry.uncompressedSize;
    if (names.size > MAX_FILES) throw refused(`it has more than ${MAX_FILES} files`);
    if (size > MAX_SIZE) throw refused(`its files have more than ${MAX_SIZE} bytes`);
    files.set(path, await contentOf(zip, entry));
  }
  for (const path of files.keys()) {
    const folder = foldersOf(path).find((one) => names.has(one.toLowerCase()));
    if (folder !== void 0) throw refused(`${quoted(folder)} is a file and a folder`);
  }
  return files;
}
function foldersOf(path) {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index));
}
async function* entriesOf(zip) {
  for (; ; ) {
    const entry = await new Promise((resolve2, reject) => {
      zip.once("entry", resolve2).once("end", () => resolve2(void 0)).once("error", reject);
      zip.readEntry();
    });
    zip.removeAllListeners();
    if (entry === void 0) return;
    yield entry;
  }
}
async function contentOf(zip, entry) {
  const stream = await promisify((one, done) => zip.openReadStream(one, done))(entry);
  const parts = [];
  for await (const part of stream) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}
function quoted(path) {
  return JSON.stringify(path.slice(0, LONGEST_PATH));
}
function refused(reason) {
  return new ActionFailure("The artifact is refused", [
    `The archive is not one of modules: ${reason}.`,
    "fork-build.yml makes an archive with the files of `wrangler deploy --dry-run --outdir`."
  ]);
}

// deploy/src/artifact.ts
var LONGEST_ARCHIVE = 16 * 1024 * 1024;
async function download(github, run, pullRequest, { name, main: main2, folder }) {
  if (main2 === void 0) {
    throw new ActionFailure("The configuration has no main", ["The entry of the artifact has the name of main.", "Add main to the configuration of the base branch."]);
  }
  const { id, size } = await find(github, run, pullRequest, name);
  const tooLarge = (bytes) => new ActionFailure("The artifact is too large", [`${name} has ${String(bytes)} bytes; at most ${LONGEST_ARCHIVE} are allowed.`]);
  if (typeof size !== "number" || size > LONGEST_ARCHIVE) throw tooLarge(size);
  const archive = await github.download(`/actions/artifacts/${id}/zip`, LONGEST_ARCHIVE);
  const modules = await readArchive(archive);
  const entry = entryOf(main2, [...modules.keys()]);
  for (const [path, content] of modules) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content, { flag: "wx" });
  }
  return join(folder, entry);
}
async function find(github, run, { headRepository }, name) {
  const query = { head_sha: run.commit, event: "pull_request", status: "success", per_page: "100" };
  const { workflow_runs: found } = await github.get("/actions/runs", query);
  for (const candidate of Array.isArray(found) ? found.filter(isObject) : []) {
    const repository = isObject(candidate["head_repository"]) ? candidate["head_repository"]["id"] : void 0;
    if (candidate["head_sha"] !== run.commit || headRepository === void 0 || repository !== headRepository) continue;
    const { artifacts } = await github.get(`/actions/runs/${Number(candidate["id"])}/artifacts`, { name });
    for (const artifact of Array.isArray(artifacts) ? artifacts.filter(isObject) : []) {
      const { id, name: actual, expired, size_in_bytes: size } = artifact;
      if (typeof id === "number" && actual === name && expired === false) return { id, size };
    }
  }
  throw new ActionFailure("There is no build of this commit", [
    `No successful run of a pull_request workflow for ${run.commit} has an artifact ${name} that is not expired.`,
    "Wait until the build has succeeded, or run it again. Then create the label, and add it again."
  ]);
}
function entryOf(main2, modules) {
  const file = basename(main2);
  const names = [file.replace(/\.[^.]*$/, ".js"), file];
  const entry = names.find((name) => modules.includes(name));
  if (entry !== void 0) return entry;
  throw new ActionFailure("The artifact does not have the entry", [
    `main in the configuration of the base branch is ${JSON.stringify(main2)}, so the artifact must have ${names[0]}. It has ${modules.slice(0, 5).join(", ") || "no module"}.`,
    "A pull request that renames main has a preview only after the merge."
  ]);
}

// deploy/src/credentials.ts
init_define_PLATFORM_NAMESPACES();

// login/src/api-address.ts
init_define_PLATFORM_NAMESPACES();
var LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
function parseApiAddress(text) {
  const invalid2 = (reason) => new ActionFailure("The input api is not the address of a deploy API", [
    `${JSON.stringify(text)} ${reason}.`,
    "Write it as in `with: { api: https://deploy.example.com }`."
  ]);
  if (text === "") throw invalid2("is empty");
  if (!URL.canParse(text)) throw invalid2("is not a URL");
  const url = new URL(text);
  const isSecure = url.protocol === "https:" || url.protocol === "http:" && LOOPBACK.includes(url.hostname);
  if (!isSecure) throw invalid2("is not an https URL");
  if (url.username || url.password) throw invalid2("contains a credential");
  const path = url.pathname.replace(/\/+$/, "");
  if (path !== "" && path !== "/client/v4" || url.search || url.hash) throw invalid2("has a path or a query");
  return new URL(url.origin);
}

// login/src/log-out.ts
init_define_PLATFORM_NAMESPACES();
function saveForLogOut(api, { token, expires }) {
  setVariable("GITHUB_STATE", "api", api.origin);
  setVariable("GITHUB_STATE", "token", token);
  setVariable("GITHUB_STATE", "expires", expires);
}

// deploy/src/credentials.ts
function preparedLogin(inputs, variables) {
  refuseOtherCredentials(variables);
  if (inputs.api === "") {
    const credentials = earlierLogin(variables);
    return async () => credentials;
  }
  const api = parseApiAddress(inputs.api);
  const source = tokenSource(variables);
  return async () => {
    const issued = await logIn({ ...realWorld, mask, log }, api, inputs.audience, source);
    saveForLogOut(api, issued);
    return { api, token: issued.token, account: issued.account };
  };
}
function earlierLogin(variables) {
  const base = variables["CLOUDFLARE_API_BASE_URL"] ?? "";
  const token = variables["CLOUDFLARE_API_TOKEN"] ?? "";
  const account = variables["CLOUDFLARE_ACCOUNT_ID"] ?? "";
  if (base !== "" && token !== "" && account !== "") {
    mask(token);
    return { api: parseApiAddress(base), token, account };
  }
  tokenSource(variables);
  throw new ActionFailure("The job is not logged in", [
    token === "" ? "There is no deploy token." : "CLOUDFLARE_API_TOKEN is not one of a deploy API: CLOUDFLARE_API_BASE_URL is missing.",
    "Set the input api, or use actions/login in an earlier step of the job."
  ]);
}

// deploy/src/deploy-api.ts
init_define_PLATFORM_NAMESPACES();

// step/retries.ts
init_define_PLATFORM_NAMESPACES();
var PAUSES = [1e3, 3e3];
var MAX_PAUSE2 = 1e4;
async function retried(pause, once) {
  for (const usual of PAUSES) {
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof TransientFailure)) throw error;
      const asked = error.retryAfter ?? usual;
      if (asked > MAX_PAUSE2) throw error;
      await pause(asked);
    }
  }
  return await once();
}

// deploy/src/deploy-api.ts
var SERVER2 = "The deploy API";
var LONG = 9 * REQUEST_TIMEOUT;
var PAUSES2 = [1e3, 2e3, 4e3];
var DeployApi = class {
  #world;
  #credentials;
  #path;
  constructor(world2, credentials, namespace, worker) {
    this.#world = world2;
    this.#credentials = credentials;
    this.#path = `/v1/namespaces/${namespace}/workers/${encodeURIComponent(worker)}`;
  }
  /** A deployment; undefined if the token may not read it, or there is none. */
  async deployment(id) {
    const reply = await this.#call("GET", `/deployments/${encodeURIComponent(id)}`, [403, 404]);
    return reply.status === 200 ? deploymentOf(reply.json) : void 0;
  }
  /**
   * Sends a request through the dispatch Worker. Returns why the deployment is not served; undefined if it is.
   *
   * Throws an {@link ActionFailure} if the token may not read the Worker.
   */
  async verify(id) {
    for (const pause of [...PAUSES2, void 0]) {
      const { json } = await this.#call("POST", "/verify", []);
      const { verified, recorded_deployment: recorded, reason } = isObject(json) ? json : {};
      if (verified === true && recorded !== id) return `Deployment ${String(recorded)} replaced it.`;
      if (verified === true) return void 0;
      if (pause === void 0) return typeof reason === "string" ? reason : "The deploy API gives no reason.";
      await this.#world.pause(pause);
    }
    return void 0;
  }
  /** Deletes the Worker. Returns whether there was one. */
  async delete() {
    return (await this.#call("DELETE", "", [404])).status === 200;
  }
  async #call(method, path, accepted) {
    const { api, token } = this.#credentials;
    const url = new URL(this.#path + path, api);
    const init = { method, headers: { Authorization: `Bearer ${token}`, Accept: "application/json" } };
    const reply = await retried(this.#world.pause, () => request(this.#world.send, SERVER2, url, init, LONG));
    if (reply.status < 400 || accepted.includes(reply.status)) return reply;
    const problem = problemOf(reply.json);
    throw new ActionFailure(problem?.title ?? "The deploy API refused a request", [
      problem?.detail ?? `${method} ${url} was answered with the status ${reply.status}.`,
      ...problem?.notes ?? [],
      ...problem?.fix ? [problem.fix] : [],
      ...problem?.request_id ? [`Request: ${problem.request_id}`] : []
    ]);
  }
};
function deploymentOf(json) {
  if (!isObject(json) || typeof json["id"] !== "string") return void 0;
  const { id, urls, size, startup_time_ms: startup, previous, bundle } = json;
  const items = (value) => Array.isArray(value) ? value.filter(isObject) : [];
  const content = isObject(bundle) ? bundle : {};
  const expires = isObject(json["preview"]) ? json["preview"]["expires"] : void 0;
  return {
    id,
    urls: Array.isArray(urls) ? urls.map(String) : [],
    size: Number(size),
    startup: typeof startup === "number" ? startup : void 0,
    bindings: new Map(items(content["bindings"]).map(({ name, type }) => [String(name), String(type)])),
    modules: new Map(items(content["modules"]).map(({ name, sha256 }) => [String(name), String(sha256)])),
    previous: typeof previous === "string" ? previous : void 0,
    expires: typeof expires === "string" ? expires : void 0,
    warnings: items(json["warnings"]).map(({ code: code2, message }) => ({ code: String(code2), message: String(message) }))
  };
}

// deploy/src/dotdo.ts
init_define_PLATFORM_NAMESPACES();
import { createHash } from "node:crypto";
import { accessSync, constants, mkdtempSync, statSync, writeFileSync as writeFileSync2 } from "node:fs";
import { delimiter, isAbsolute, join as join2 } from "node:path";

// deploy/src/program.ts
init_define_PLATFORM_NAMESPACES();
import { spawn } from "node:child_process";
var KEPT_OF_SHOWN = 64 * 1024;
var KEPT = 16 * 1024 * 1024;
var OWN_VARIABLES = /^(INPUT_|STATE_|ACTIONS_ID_TOKEN_REQUEST_|ACTIONS_RUNTIME_TOKEN$)/;
function variablesFor(variables, added) {
  const kept = Object.entries(variables).filter(([name]) => !OWN_VARIABLES.test(name));
  return { ...Object.fromEntries(kept), ...added };
}
async function runProgram([program = "", ...options2], { folder, variables, isShown }) {
  const child = spawn(program, options2, { cwd: folder, env: variables, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const proceed = endWithThisProcess(child);
  const ended = new Promise((resolve2, reject) => child.once("close", resolve2).once("error", reject));
  const resume = isShown ? stopCommands() : void 0;
  const read2 = async (stream) => {
    let kept = "";
    for await (const chunk of stream.setEncoding("utf8")) {
      if (isShown) process.stdout.write(chunk);
      kept = (kept + String(chunk)).slice(isShown ? -KEPT_OF_SHOWN : -KEPT);
    }
    if (isShown && kept !== "" && !kept.endsWith("\n")) process.stdout.write("\n");
    return kept;
  };
  try {
    const [code2, output, errors] = await Promise.all([ended, read2(child.stdout), read2(child.stderr)]);
    return { code: code2, output: withoutSecrets(output), errors: withoutSecrets(errors) };
  } finally {
    resume?.();
    proceed();
  }
}
function endWithThisProcess({ pid }) {
  const signals = ["SIGINT", "SIGTERM"];
  const end = (signal) => {
    proceed();
    try {
      if (pid !== void 0) process.kill(-pid, "SIGTERM");
    } catch {
    }
    process.kill(process.pid, signal);
  };
  const proceed = () => signals.forEach((signal) => process.off(signal, end));
  for (const signal of signals) process.on(signal, end);
  return proceed;
}

// deploy/src/dotdo.ts
var RELEASES = "https://github.com/drivly/dispatch.do/releases/download";
var TARGETS = {
  "darwin arm64": "aarch64-apple-darwin",
  "darwin x64": "x86_64-apple-darwin",
  "linux arm64": "aarch64-unknown-linux-gnu",
  "linux x64": "x86_64-unknown-linux-gnu"
};
var DOWNLOAD_TIMEOUT = 6e4;
async function findDotdo(world2, given, path, folder, version) {
  if (given !== "") {
    if (isProgram(given)) return given;
    throw new ActionFailure("The input dotdo is not a program", [`${given} is not an executable file.`, "Correct the path, or remove it."]);
  }
  const installed = path.split(delimiter).filter(isAbsolute).map((one) => join2(one, "dotdo")).find(isProgram);
  return installed ?? await install(world2, RELEASES, version, `${process.platform} ${process.arch}`, folder);
}
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
async function install(world2, releases, version, machine, folder) {
  const target = TARGETS[machine];
  const hint = "Install it in an earlier step, and set the input dotdo to its path.";
  if (target === void 0) throw new ActionFailure("There is no dotdo for this runner", [`No release has an archive for ${machine}.`, hint]);
  const name = `dotdo-${target}.tar.gz`;
  const download2 = async (file) => {
    const address = `${releases}/v${version}/${file}`;
    const refused2 = (reason) => new ActionFailure("dotdo cannot be downloaded", [`${address}: ${reason}.`, hint]);
    let response;
    try {
      response = await world2.send(new URL(address), { signal: AbortSignal.timeout(DOWNLOAD_TIMEOUT) });
      if (response.status === 200) return Buffer.from(await response.arrayBuffer());
    } catch (error) {
      throw refused2(String(error));
    }
    throw refused2(`it was answered with the status ${response.status}`);
  };
  const [archive, checksum] = await Promise.all([download2(name), download2(`${name}.sha256`)]);
  const actual = createHash("sha256").update(archive).digest("hex");
  const [expected = ""] = checksum.toString("utf8").trim().split(/\s/);
  if (actual !== expected.toLowerCase()) {
    throw new ActionFailure("The archive of dotdo is damaged", [`${name} has the SHA-256 ${actual}, and its checksum is ${expected}.`, hint]);
  }
  const place = mkdtempSync(join2(folder, "dotdo-"));
  writeFileSync2(join2(place, name), archive);
  const unpacked = await runProgram(["tar", "-xzf", name], { folder: place, variables: process.env, isShown: false });
  const program = join2(place, `dotdo-${target}`, "dotdo");
  if (unpacked.code !== 0 || !isProgram(program)) {
    throw new ActionFailure("The archive of dotdo cannot be unpacked", [unpacked.errors.trim() || `${name} has no dotdo-${target}/dotdo.`, hint]);
  }
  log(`Installed dotdo ${version}.`);
  return program;
}
async function check(dotdo, path) {
  const ended = await runProgram([dotdo, "check", path, "--json"], { folder: ".", variables: variablesFor(process.env, {}), isShown: false });
  const json = parse2(ended.output);
  if (json === void 0 || !Array.isArray(json["findings"])) throw failureOf(ended, "The configuration cannot be checked");
  const text = (value) => typeof value === "string" ? value : void 0;
  const errors = [];
  for (const { level, place, what, fix } of json["findings"].filter(isObject)) {
    const lines = [`${String(place)}: ${String(what)}`, String(fix)];
    if (level === "error") errors.push(...lines);
    else annotate("warning", "This has a condition in a namespace", lines);
  }
  return { file: String(json["file"]), name: text(json["name"]), main: text(json["main"]), errors };
}
async function promote(dotdo, api, token, { worker, from, to, deployment }) {
  const selected = deployment === "" ? [] : ["--deployment", deployment];
  const command3 = [dotdo, "promote", worker, "--env", to, "--from", from, ...selected, "--yes", "--json"];
  const variables = variablesFor(process.env, { DOTDO_API: api.origin, DOTDO_TOKEN: token });
  const ended = await runProgram(command3, { folder: ".", variables, isShown: false });
  const deployed = ended.code === 0 ? deploymentOf(parse2(ended.output)) : void 0;
  if (deployed === void 0) throw failureOf(ended, "The promotion failed");
  return deployed;
}
function failureOf({ code: code2, errors }, title) {
  const json = parse2(errors) ?? {};
  const notes = Array.isArray(json["notes"]) ? json["notes"] : [];
  const lines = [json["error"], ...notes, json["fix"]].filter((line) => typeof line === "string");
  return new ActionFailure(title, lines.length > 0 ? lines : [errors.trim() || `dotdo ended with the exit code ${code2}.`]);
}
function parse2(text) {
  try {
    const json = JSON.parse(text);
    return isObject(json) ? json : void 0;
  } catch {
    return void 0;
  }
}

// deploy/src/github.ts
init_define_PLATFORM_NAMESPACES();
var VERSION = "2022-11-28";
var PAGE = 100;
var SERVER3 = "GitHub's API";
var TOKEN_OF_APP = "ghs_";
var GitHub = class {
  #world;
  #api;
  #base;
  #token;
  #headers;
  /**
   * @param api `GITHUB_API_URL`
   * @param repository `OWNER/NAME`
   */
  constructor(world2, api, repository, token) {
    this.#world = world2;
    this.#api = api;
    this.#base = `${api}/repos/${repository}`;
    this.#token = token;
    this.#headers = {
      Accept: "application/vnd.github+json",
      Authorization: `Bearer ${token}`,
      "User-Agent": "drivly/dispatch.do",
      "X-GitHub-Api-Version": VERSION
    };
  }
  /** The object of an answer. */
  get(path, query = {}) {
    return retried(this.#world.pause, () => this.#send("GET", path, query, void 0));
  }
  /** The name of the user of the token; undefined for a token of an app, such as that of the job. */
  async user() {
    if (this.#token.startsWith(TOKEN_OF_APP)) return void 0;
    const { login } = await retried(this.#world.pause, () => this.#sendTo("GET", new URL(`${this.#api}/user`), void 0));
    return typeof login === "string" ? login : void 0;
  }
  /** One page of a list. */
  async list(path, query, page = 1) {
    const all = { per_page: String(PAGE), page: String(page), ...query };
    const { items } = await retried(this.#world.pause, () => this.#send("GET", path, all, void 0));
    return Array.isArray(items) ? items.filter(isObject) : [];
  }
  /** All pages of a list. */
  async all(path) {
    const found = [];
    for (let page = 1; ; page += 1) {
      const items = await this.list(path, {}, page);
      found.push(...items);
      if (items.length < PAGE) return found;
    }
  }
  /** Creates something. It is not repeated, because the first request may have succeeded. */
  post(path, body) {
    return this.#send("POST", path, {}, body);
  }
  patch(path, body) {
    return retried(this.#world.pause, () => this.#send("PATCH", path, {}, body));
  }
  /** Deletes something, unless it does not exist any more. */
  async delete(path) {
    await retried(this.#world.pause, () => this.#send("DELETE", path, {}, void 0, [404]));
  }
  /**
   * Downloads what an address of the API leads to, without the token: it is on another server.
   *
   * Throws an {@link ActionFailure} if it is longer than `longest` bytes.
   */
  download(path, longest) {
    return retried(this.#world.pause, async () => {
      try {
        return await this.#downloadOnce(new URL(this.#base + path), longest);
      } catch (error) {
        throw error instanceof ActionFailure ? error : new TransientFailure(`${SERVER3} does not answer: ${String(error)}.`);
      }
    });
  }
  async #downloadOnce(url, longest) {
    const signal = AbortSignal.timeout(6 * REQUEST_TIMEOUT);
    const leading = await this.#world.send(url, { headers: this.#headers, redirect: "manual", signal });
    const location = leading.headers.get("location");
    if (leading.status !== 302 || location === null) throw refusal2("GET", url, { status: leading.status, json: void 0 });
    const response = await this.#world.send(new URL(location), { redirect: "error", signal });
    if (response.status !== 200 || response.body === null) throw refusal2("GET", url, { status: response.status, json: void 0 });
    const parts = [];
    let length = 0;
    for await (const part of response.body) {
      length += part.length;
      if (length > longest) throw new ActionFailure("The artifact is too large", [`It has more than ${longest} bytes.`]);
      parts.push(part);
    }
    return Buffer.concat(parts);
  }
  async #send(method, path, query, body, accepted = []) {
    const url = new URL(this.#base + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return await this.#sendTo(method, url, body, accepted);
  }
  async #sendTo(method, url, body, accepted = []) {
    const content = body === void 0 ? {} : { body: JSON.stringify(body) };
    const headers = body === void 0 ? this.#headers : { ...this.#headers, "Content-Type": "application/json" };
    const reply = await request(this.#world.send, SERVER3, url, { method, headers, ...content }, REQUEST_TIMEOUT);
    if (reply.status >= 400 && !accepted.includes(reply.status)) throw refusal2(method, url, reply);
    if (Array.isArray(reply.json)) return { items: reply.json };
    return isObject(reply.json) ? reply.json : {};
  }
};
var PERMISSIONS = [
  ["/deployments", "deployments: write"],
  ["/comments", "pull-requests: write"],
  ["/pulls/", "pull-requests: read"],
  ["/actions/", "actions: read"]
];
function refusal2(method, url, reply) {
  const message = isObject(reply.json) && typeof reply.json["message"] === "string" ? `: ${reply.json["message"]}` : "";
  const lines = [`${method} ${url.origin}${url.pathname} was answered with the status ${reply.status}${message}.`];
  const permission = PERMISSIONS.find(([part]) => url.pathname.includes(part))?.[1];
  const isRefused = (reply.status === 403 || reply.status === 404) && (message === "" || /not accessible|not found/i.test(message));
  if (/rate limit/i.test(message)) lines.push("GitHub limits the requests of all jobs of the repository. Run the job again later.");
  if (isRefused && permission !== void 0) {
    lines.push(`Add \`${permission}\` to the permissions of the job, and of the job that calls a reusable workflow.`);
  }
  if (reply.status === 401) lines.push("The input github-token is not valid. By default, it is the token of the job.");
  return new ActionFailure("GitHub refused a request", lines);
}

// deploy/src/inputs.ts
init_define_PLATFORM_NAMESPACES();
var ENVIRONMENTS = ["production", "staging", "development"];
function inputsOf(variables) {
  const text = (name) => (variables[`INPUT_${name.toUpperCase()}`] ?? "").trim();
  const isPreview = flag("preview", text("preview"));
  const environment = text("environment");
  if (isPreview && environment !== "" && environment !== "development") {
    throw invalid("environment", `is ${quoted2(environment)}, and a preview is always in development`, "Remove it.");
  }
  const promoteFrom = text("promote-from");
  const inputs = {
    api: text("api"),
    audience: text("audience"),
    environment: isPreview ? "development" : environmentOf("environment", environment),
    isPreview,
    worker: text("worker"),
    folder: text("working-directory") || ".",
    config: text("config"),
    wranglerEnvironment: text("wrangler-environment"),
    artifact: text("artifact"),
    promoteFrom: promoteFrom === "" ? void 0 : environmentOf("promote-from", promoteFrom),
    deployment: text("deployment"),
    githubToken: text("github-token"),
    hasGitHubDeployment: flag("github-deployment", text("github-deployment")),
    dotdo: text("dotdo")
  };
  if (inputs.artifact !== "" && !isPreview) throw invalid("artifact", "is only for previews", "Add `preview: true`.");
  if (inputs.promoteFrom !== void 0 && isPreview) throw invalid("promote-from", "is not for previews", "Remove one of the two.");
  for (const name of ["worker", "config", "wrangler-environment", "artifact", "deployment"]) {
    if (text(name).startsWith("-")) throw invalid(name, `${quoted2(text(name))} begins with a hyphen`, "Correct it.");
  }
  return inputs;
}
function environmentOf(name, text) {
  const found = ENVIRONMENTS.find((environment) => environment === text);
  if (found !== void 0) return found;
  const fix = `Write one of ${ENVIRONMENTS.join(", ")}, as in \`with: { ${name}: staging }\`.`;
  throw invalid(name, text === "" ? "is missing" : `is ${quoted2(text)}, which is not an environment`, fix);
}
function flag(name, text) {
  if (text === "true") return true;
  if (text === "false" || text === "") return false;
  throw invalid(name, `is ${quoted2(text)}`, "Write true or false.");
}
function quoted2(text) {
  return JSON.stringify(text);
}
function invalid(name, reason, fix) {
  return new ActionFailure(`The input ${name} is not valid`, [`${name} ${reason}.`, fix]);
}

// deploy/src/pages.ts
init_define_PLATFORM_NAMESPACES();

// deploy/src/comment.ts
init_define_PLATFORM_NAMESPACES();
async function keepComment(github, pullRequest, marker, text, isCreated) {
  const body = `${hidden(marker)}
${text}`;
  const user = await github.user();
  const list = async () => commentsOf(await github.all(`/issues/${pullRequest}/comments`), marker.worker, user);
  let found = await list();
  if (found.length === 0) {
    if (!isCreated) return;
    await github.post(`/issues/${pullRequest}/comments`, { body });
    found = await list();
    if (found.length === 1) return;
  }
  const [kept, ...others] = found;
  if (kept === void 0) return;
  for (const { id } of others) await github.delete(`/issues/comments/${id}`);
  const isLatest = found.every(({ began }) => began <= marker.began);
  if (isLatest) await github.patch(`/issues/comments/${kept.id}`, { body });
}
function commentsOf(comments, worker, author) {
  const found = [];
  for (const { id, body, user } of comments) {
    const { type, login } = isObject(user) ? user : {};
    const isOwn = author === void 0 ? type === "Bot" : login === author;
    const match = /^<!-- dotdo-preview (\S+) (\d+) -->/.exec(String(body));
    if (isOwn && typeof id === "number" && match?.[1] === worker) found.push({ id, began: Number(match[2]) });
  }
  return found.sort((one, other) => one.id - other.id);
}
function hidden({ worker, began }) {
  return `<!-- dotdo-preview ${worker} ${began} -->`;
}

// deploy/src/github-deployment.ts
init_define_PLATFORM_NAMESPACES();
var LONGEST_DESCRIPTION = 140;
function environmentName(worker, environment, isPreview) {
  return `${isPreview ? "preview" : environment}/${worker}`;
}
async function createDeployment(github, run, name, { environment, isPreview }) {
  const created = await github.post("/deployments", {
    ref: run.commit,
    environment: name,
    description: "Deployed to the .do platform",
    // The job decides whether it deploys: GitHub must not merge the default branch, or wait for checks of which the job is one.
    auto_merge: false,
    required_contexts: [],
    transient_environment: isPreview,
    production_environment: environment === "production"
  });
  const { id } = created;
  if (typeof id !== "number") throw new Error("GitHub's answer to the creation of a deployment has no id");
  return id;
}
async function setStatus(github, deployment, state, log2, { url = "", description = "" } = {}) {
  await github.post(`/deployments/${deployment}/statuses`, {
    state,
    log_url: log2,
    ...url === "" ? {} : { environment_url: url },
    description: [...description].slice(0, LONGEST_DESCRIPTION).join("")
  });
}
async function deactivateOthers(github, name, except, log2) {
  for (const { id } of await github.list("/deployments", { environment: name })) {
    if (typeof id !== "number" || id === except) continue;
    const state = latestState(await github.list(`/deployments/${id}/statuses`, { per_page: "1" }));
    if (state === "inactive") return;
    if (state !== "failure") await setStatus(github, id, "inactive", log2);
  }
}
function latestState([latest]) {
  return latest?.["state"];
}

// deploy/src/report.ts
init_define_PLATFORM_NAMESPACES();
var MAX_LINES2 = 40;
var LONGEST_TEXT = 500;
var LONGEST_CELL = 15e3;
var LONGEST_ROWS = 6e4;
function changesOf(before, after) {
  return {
    bindings: compared(before?.bindings ?? /* @__PURE__ */ new Map(), after.bindings),
    modules: compared(before?.modules ?? /* @__PURE__ */ new Map(), after.modules),
    size: { before: before?.size ?? null, after: after.size }
  };
}
function compared(before, after) {
  const names = [...after.keys()];
  return {
    added: names.filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: names.filter((name) => before.has(name) && before.get(name) !== after.get(name))
  };
}
function htmlOf(report) {
  const { worker, environment, commit, commitPage, status, deployment, changes, failure } = report;
  const title = report.isPreview ? `Preview <code>${escape(worker)}</code>` : `<code>${escape(worker)}</code> in ${environment}`;
  const rows = [["Status", `<b>${status}</b>`]];
  const isServed = status === "deployed" || status === "promoted";
  for (const url of isServed ? deployment?.urls ?? [] : []) rows.push(["URL", `<a href="${escape(url)}">${escape(url)}</a>`]);
  rows.push(["Commit", `<a href="${escape(commitPage)}"><code>${escape(commit)}</code></a>`]);
  if (deployment !== void 0) {
    rows.push(["Deployment", code(deployment.id)]);
    rows.push(["Size", sizeOf(deployment.size, changes?.size.before ?? null)]);
    if (deployment.startup !== void 0) rows.push(["Start-up time", `${deployment.startup} ms`]);
  }
  if (isServed && deployment?.expires !== void 0) rows.push(["Expires", `${escape(deployment.expires)}, unless it is deployed again`]);
  if (deployment !== void 0 && changes !== void 0) {
    rows.push(["Changed bindings", changed(changes.bindings, deployment.bindings)]);
    rows.push(["Changed modules", changed(changes.modules, void 0)]);
  }
  if (failure !== void 0) rows.push(["Failure", cellOf([`<b>${code(failure.title)}</b>`, ...failure.lines.map(code)])]);
  for (const { message } of deployment?.warnings ?? []) rows.push(["Warning", code(message)]);
  const cells = [...limited(rows), ["Log", `<a href="${escape(report.log)}">the run</a>`]].map(([name, value]) => `<tr><td>${name}</td><td>${value}</td></tr>`);
  return `<h3>${title}</h3><table>${cells.join("")}</table>`;
}
function limited(rows) {
  let length = 0;
  const end = rows.findIndex(([name, value]) => (length += name.length + value.length + "<tr><td></td><td></td></tr>".length) > LONGEST_ROWS);
  return end < 0 ? rows : [...rows.slice(0, end), ["…", `${rows.length - end} more in the log`]];
}
function changed({ added, removed, changed: others }, types) {
  const typed = (name) => types?.has(name) ? `${name} (${types.get(name)})` : name;
  const parts = [
    ...added.map((name) => `added ${code(typed(name))}`),
    ...others.map((name) => `changed ${code(typed(name))}`),
    ...removed.map((name) => `removed ${code(name)}`)
  ];
  return parts.length === 0 ? "none" : cellOf(parts);
}
function cellOf(lines) {
  let length = 0;
  const end = lines.findIndex((line, index) => index === MAX_LINES2 || (length += line.length) > LONGEST_CELL);
  return (end < 0 ? lines : [...lines.slice(0, end), `and ${lines.length - end} more`]).join("<br>");
}
function sizeOf(after, before) {
  const difference = before === null ? "" : ` (${after < before ? "−" : "+"}${withUnit(Math.abs(after - before))})`;
  return `${withUnit(after)}${difference}`;
}
function withUnit(bytes) {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(2)} MB`;
}
function code(text) {
  return `<code>${escape(shortened(text, LONGEST_TEXT))}</code>`;
}

// deploy/src/pages.ts
var STATES = {
  deploying: "in_progress",
  deployed: "success",
  promoted: "success",
  failed: "failure",
  cancelled: "failure"
};
var Pages = class {
  #github;
  #inputs;
  #run;
  #worker;
  #began;
  #deployment;
  /** @param began when the step began, in milliseconds since 1970 */
  constructor(github, inputs, run, worker, began) {
    this.#github = github;
    this.#inputs = inputs;
    this.#run = run;
    this.#worker = worker;
    this.#began = began;
  }
  /** Shows that the Worker is being deployed, and saves for the post step what it needs if this process is killed. */
  async begin() {
    await this.#attempt("The GitHub deployment was not created", async () => {
      if (!this.#inputs.hasGitHubDeployment) return;
      this.#deployment = await createDeployment(this.#github, this.#run, this.#environment(), this.#inputs);
      setVariable("GITHUB_STATE", "github_deployment", String(this.#deployment));
    });
    setVariable("GITHUB_STATE", "worker", this.#worker);
    setVariable("GITHUB_STATE", "began", String(this.#began));
    await this.#update(this.report("deploying"));
  }
  /** Continues in the post step of a step that began. */
  resume(deployment) {
    this.#deployment = deployment;
  }
  /** Shows how the step ended. */
  async end(report) {
    const claims = report.failure?.claims;
    addToSummary(htmlOf(report) + (claims === void 0 ? "" : claimsTable(claims)));
    await this.#update(report);
    setVariable("GITHUB_STATE", "ended", "true");
  }
  /** A report of this step. */
  report(status, details = {}) {
    const { commit, commitPage, log: log2 } = this.#run;
    const { environment, isPreview } = this.#inputs;
    return { status, worker: this.#worker, environment, commit, commitPage, log: log2, isPreview, ...details };
  }
  async #update(report) {
    await Promise.all([
      this.#attempt("The GitHub deployment was not updated", () => this.#updateDeployment(report)),
      this.#attempt("The comment was not updated", () => this.#updateComment(report))
    ]);
  }
  async #updateDeployment(report) {
    const { log: log2 } = this.#run;
    if (report.status === "deleted") return deactivateOthers(this.#github, this.#environment(), void 0, log2);
    if (this.#deployment === void 0) return;
    const url = report.deployment?.urls[0] ?? "";
    const description = report.failure?.title ?? "";
    await setStatus(this.#github, this.#deployment, STATES[report.status], log2, { url, description });
    const isReplaced = this.#inputs.isPreview && STATES[report.status] === "success";
    if (isReplaced) await deactivateOthers(this.#github, this.#environment(), this.#deployment, log2);
  }
  async #updateComment(report) {
    const { pullRequest } = this.#run;
    if (!this.#inputs.isPreview || pullRequest === void 0) return;
    const marker = { worker: this.#worker, began: this.#began };
    await keepComment(this.#github, pullRequest.number, marker, htmlOf(report), this.#run.action !== "closed");
  }
  #environment() {
    return environmentName(this.#worker, this.#inputs.environment, this.#inputs.isPreview);
  }
  async #attempt(title, action) {
    if (this.#inputs.githubToken === "") return;
    try {
      await action();
    } catch (error) {
      annotate("warning", title, error instanceof ActionFailure ? error.lines : [error instanceof Error ? error.message : String(error)]);
    }
  }
};

// deploy/src/platform.ts
init_define_PLATFORM_NAMESPACES();
var NAMESPACES = define_PLATFORM_NAMESPACES_default;
var VERSION2 = "0.1.0";

// deploy/src/pull-request.ts
init_define_PLATFORM_NAMESPACES();
function labelFor(commit) {
  return `preview ${commit}`;
}
function refuseBuildWithRights(run, hasBuild) {
  if (run.event !== "pull_request_target" || !hasBuild) return;
  throw new ActionFailure("A run of pull_request_target must not build a pull request", [
    "Such a run has the rights of the base branch, and a build would run the code of the pull request with them.",
    "Use `on: pull_request`, or deploy an artifact as fork-preview.yml does."
  ]);
}
function previewedBy(run) {
  const { pullRequest } = run;
  if (pullRequest === void 0) {
    throw new ActionFailure("A preview is for a pull request", [
      `This run was started by ${run.event || "an event"}, which has no pull request.`,
      "Start the workflow with `on: pull_request`, or set the input environment in place of preview."
    ]);
  }
  if (!needsLabel(run)) return pullRequest;
  if (run.action !== "labeled" || run.label !== labelFor(run.commit)) {
    const cause = run.action === "labeled" ? `the label is ${JSON.stringify(run.label)}` : `the event is ${JSON.stringify(run.action)}`;
    throw new ActionFailure("No label allows the preview of this commit", [
      `The head of the pull request is ${run.commit}, and ${cause}.`,
      `Review this commit, and add the label "${labelFor(run.commit)}" to the pull request.`
    ]);
  }
  return pullRequest;
}
function needsLabel({ event, action }) {
  return event === "pull_request_target" && action !== "closed";
}
var LAG = 2e3;
async function stateFor(github, run, pullRequest, pause) {
  const state = await currentState(github, pullRequest, needsLabel(run));
  const agrees = state === void 0 || (run.action === "closed" ? !state.isOpen : whyOutdated(run, state) === void 0);
  if (agrees) return state;
  await pause(LAG);
  return await currentState(github, pullRequest, needsLabel(run));
}
async function currentState(github, { number }, isRequired) {
  try {
    const { state, head, labels } = await github.get(`/pulls/${number}`);
    const names = Array.isArray(labels) ? labels.filter(isObject).map(({ name }) => String(name)) : [];
    if (!isObject(head) || typeof head["sha"] !== "string") throw new Error(`GitHub's answer has no head of pull request ${number}`);
    return { isOpen: state === "open", head: head["sha"], labels: names };
  } catch (error) {
    if (isRequired) throw error;
    const lines = error instanceof ActionFailure ? error.lines : [error instanceof Error ? error.message : String(error)];
    annotate("warning", "The pull request cannot be read", [...lines, "If it is closed by now, or has a newer commit, this run does not notice it."]);
    return void 0;
  }
}
function whyOutdated(run, { isOpen, head, labels }) {
  if (!isOpen) {
    return new ActionFailure("The pull request is closed", ["Its preview was deleted, and this run would create it again.", "Reopen the pull request."]);
  }
  if (head !== run.commit) {
    return new ActionFailure("The pull request has another commit by now", [
      `Its head is ${head}, and this run is for ${run.commit}.`,
      needsLabel(run) ? `Review that commit, and add the label "${labelFor(head)}".` : "The run for that commit deploys the preview."
    ]);
  }
  if (needsLabel(run) && !labels.includes(labelFor(run.commit))) {
    return new ActionFailure("The label of this commit was removed", [
      `The pull request does not have the label "${labelFor(run.commit)}" any more; it is deleted after each run.`,
      "Create it, and add it again."
    ]);
  }
  return void 0;
}

// deploy/src/run.ts
init_define_PLATFORM_NAMESPACES();
import { readFileSync as readFileSync2 } from "node:fs";
function runOf(variables) {
  const text = (name) => variables[name] ?? "";
  const event = eventOf(text("GITHUB_EVENT_PATH"));
  const repository = text("GITHUB_REPOSITORY");
  const pullRequest = object(event["pull_request"]);
  const head = object(pullRequest?.["head"]);
  const number = pullRequest?.["number"];
  const commit = typeof head?.["sha"] === "string" ? head["sha"] : text("GITHUB_SHA");
  const pages = `${text("GITHUB_SERVER_URL")}/${repository}`;
  const run = {
    event: text("GITHUB_EVENT_NAME"),
    action: string(event["action"]),
    repository,
    commit,
    commitPage: `${pages}/commit/${commit}`,
    log: `${pages}/actions/runs/${text("GITHUB_RUN_ID")}/attempts/${text("GITHUB_RUN_ATTEMPT")}`,
    label: string(object(event["label"])?.["name"]),
    pullRequest: void 0
  };
  if (typeof number !== "number" || !Number.isInteger(number)) return run;
  const source = object(head?.["repo"]);
  const id = source?.["id"];
  return {
    ...run,
    pullRequest: {
      number,
      headRepository: typeof id === "number" ? id : void 0,
      isFromFork: source?.["full_name"] !== repository
    }
  };
}
function eventOf(path) {
  if (path === "") return {};
  try {
    return object(JSON.parse(readFileSync2(path, "utf8"))) ?? {};
  } catch {
    return {};
  }
}
function object(value) {
  return isObject(value) ? value : void 0;
}
function string(value) {
  return typeof value === "string" ? value : "";
}

// deploy/src/wrangler.ts
init_define_PLATFORM_NAMESPACES();
import { randomUUID as randomUUID2 } from "node:crypto";
import { readFileSync as readFileSync3, rmSync } from "node:fs";
import { join as join3 } from "node:path";
import { stripVTControlCharacters } from "node:util";
var MAX_LINES3 = 40;
var NO_RUNTIME = "/dev/null/workerd";
async function deploy(upload, credentials, temporary2) {
  const result = join3(temporary2, `wrangler-${randomUUID2()}.ndjson`);
  const variables = variablesFor(process.env, {
    CLOUDFLARE_API_BASE_URL: `${credentials.api.origin}/client/v4`,
    CLOUDFLARE_API_TOKEN: credentials.token,
    CLOUDFLARE_ACCOUNT_ID: credentials.account,
    WRANGLER_OUTPUT_FILE_PATH: result,
    ...upload.built === void 0 ? {} : { MINIFLARE_WORKERD_PATH: NO_RUNTIME }
  });
  let ended;
  try {
    ended = await runProgram(command2(upload), { folder: upload.folder, variables, isShown: true });
  } catch (error) {
    throw new ActionFailure("wrangler cannot be started", [String(error), "The runner needs Node and npm: use actions/setup-node."]);
  }
  if (ended.code !== 0) throw failureOf2(ended);
  const id = resultOf(result);
  rmSync(result, { force: true });
  if (id === void 0) {
    throw new ActionFailure("wrangler reports no deployment", ["It ended without an error, and without the id of a version.", "Update wrangler: 4.86 and later work."]);
  }
  return id;
}
function command2({ worker, namespace, config, environment, built }) {
  return [
    "npx",
    // It must be the version in the lock file, and not the newest one.
    "--no-install",
    "wrangler",
    "deploy",
    ...built === void 0 ? [] : [built, "--no-bundle"],
    ...config === "" ? [] : ["--config", config],
    ...environment === "" ? [] : ["--env", environment],
    "--name",
    worker,
    "--dispatch-namespace",
    namespace
  ];
}
function resultOf(file) {
  let lines;
  try {
    lines = readFileSync3(file, "utf8").split("\n");
  } catch {
    return void 0;
  }
  for (const line of lines.filter((one) => one !== "")) {
    const entry = parse3(line);
    if (isObject(entry) && entry["type"] === "deploy" && typeof entry["version_id"] === "string") return entry["version_id"];
  }
  return void 0;
}
function parse3(line) {
  try {
    return JSON.parse(line);
  } catch {
    return void 0;
  }
}
function failureOf2({ code: code2, output, errors }) {
  const all = stripVTControlCharacters(`${output}
${errors}`);
  if (/npx canceled|could not determine executable|canceled due to missing packages/.test(all)) {
    return new ActionFailure("wrangler is not installed", [
      "The checkout has no wrangler in its node_modules.",
      "Add it with `npm install --save-dev wrangler`, and run `npm ci` before this step."
    ]);
  }
  const start = all.lastIndexOf("[ERROR]");
  const lines = (start < 0 ? all : all.slice(start + "[ERROR]".length)).split("\n").map((line) => line.trimEnd()).filter((line) => line.trim() !== "" && !line.includes("Logs were written to"));
  const shown2 = start < 0 ? lines.slice(-MAX_LINES3) : lines.slice(0, MAX_LINES3);
  return new ActionFailure("wrangler could not deploy the Worker", shown2.length > 0 ? shown2.map((line) => line.trim()) : [`It ended with the exit code ${code2}.`]);
}

// deploy/src/main.ts
var world = realWorld;
var NAME = /^[a-z0-9-]{1,63}$/;
function temporary() {
  return process.env["RUNNER_TEMP"] || tmpdir();
}
async function main() {
  const began = Date.now();
  if (process.platform === "win32") {
    throw new ActionFailure("The action does not run on Windows", ["Set `runs-on: ubuntu-latest`, or use actions/login and wrangler."]);
  }
  const inputs = inputsOf(process.env);
  const run = runOf(process.env);
  const isDeletion = inputs.isPreview && run.action === "closed";
  refuseBuildWithRights(run, !isDeletion && inputs.artifact === "" && inputs.promoteFrom === void 0);
  const pullRequest = inputs.isPreview ? previewedBy(run) : void 0;
  const logIn2 = preparedLogin(inputs, process.env);
  const github = new GitHub(world, process.env["GITHUB_API_URL"] ?? "", run.repository, inputs.githubToken);
  const reading = read(github, run, pullRequest, inputs);
  reading.catch(() => void 0);
  const dotdo = await findDotdo(world, inputs.dotdo, process.env["PATH"] ?? "", temporary(), VERSION2);
  const needsConfiguration = inputs.worker === "" || inputs.promoteFrom === void 0 && !isDeletion;
  const configuration = needsConfiguration ? await check(dotdo, resolve(inputs.folder, inputs.config)) : void 0;
  const worker = nameOf(inputs.worker || configuration?.name, pullRequest);
  setVariable("GITHUB_OUTPUT", "worker", worker);
  const pages = new Pages(github, inputs, run, worker, began);
  const current = await reading;
  if (isDeletion && current?.isOpen) return log(`The pull request is open again: the preview ${worker} is kept.`);
  const outdated = isDeletion || current === void 0 ? void 0 : whyOutdated(run, current);
  if (outdated !== void 0) throw outdated;
  const shown2 = isDeletion ? void 0 : pages.begin();
  let deployment;
  try {
    const credentials = await logIn2();
    const api = new DeployApi(world, credentials, NAMESPACES[inputs.environment], worker);
    if (isDeletion) {
      const existed = await api.delete();
      log(existed ? `Deleted the preview ${worker}.` : `There is no preview ${worker}.`);
      return await pages.end(pages.report("deleted"));
    }
    deployment = await change({ inputs, run, pullRequest, credentials, dotdo, configuration, worker, github });
    const { id } = deployment;
    setVariable("GITHUB_OUTPUT", "deployment", id);
    const verified = verify(api, id);
    verified.catch(() => void 0);
    if (pullRequest !== void 0 && current !== void 0 && (await currentState(github, pullRequest, false))?.isOpen === false) {
      await api.delete();
      await shown2;
      log(`The pull request was closed during the deploy: deleted the preview ${worker}.`);
      return await pages.end(pages.report("deleted"));
    }
    const { details, changes } = await inspect(api, deployment);
    deployment = details;
    setVariable("GITHUB_OUTPUT", "url", deployment.urls[0] ?? "");
    setVariable("GITHUB_OUTPUT", "urls", JSON.stringify(deployment.urls));
    if (changes !== void 0) setVariable("GITHUB_OUTPUT", "changes", JSON.stringify(changes));
    await verified;
    for (const { code: code2, message } of deployment.warnings) annotate("warning", code2, [message]);
    await shown2;
    const status = inputs.promoteFrom === void 0 ? "deployed" : "promoted";
    await pages.end(pages.report(status, { deployment, changes }));
    log(`${worker} is ${status}: deployment ${id}, ${deployment.urls.join(" ")}`);
  } catch (error) {
    await shown2;
    const failure = failureOf3(error);
    annotate("error", failure.title, failure.lines);
    await pages.end(pages.report("failed", { deployment, failure }));
    process.exitCode = 1;
  }
}
async function read(github, run, pullRequest, inputs) {
  if (pullRequest === void 0 || inputs.githubToken === "" && !needsLabel(run)) return void 0;
  return await stateFor(github, run, pullRequest, world.pause);
}
async function change({ inputs, run, pullRequest, credentials, dotdo, configuration, worker, github }) {
  if (inputs.promoteFrom !== void 0) {
    const promotion = { worker, from: inputs.promoteFrom, to: inputs.environment, deployment: inputs.deployment };
    return promote(dotdo, credentials.api, credentials.token, promotion);
  }
  const errors = configuration?.errors ?? [];
  if (errors.length > 0) throw new ActionFailure("The configuration is not for a namespace", errors);
  let built;
  if (inputs.artifact !== "" && pullRequest !== void 0) {
    const folder = mkdtempSync2(join4(temporary(), "modules-"));
    built = await download(github, run, pullRequest, { name: inputs.artifact, main: configuration?.main, folder });
  }
  const upload = {
    worker,
    namespace: NAMESPACES[inputs.environment],
    folder: resolve(inputs.folder),
    // With another entry, wrangler looks for the configuration in the folder of the entry, which the author of the artifact wrote.
    config: built === void 0 ? inputs.config : configuration?.file ?? inputs.config,
    environment: inputs.wranglerEnvironment,
    built
  };
  const id = await deploy(upload, credentials, temporary());
  return { id, urls: [], size: 0, startup: void 0, bindings: /* @__PURE__ */ new Map(), modules: /* @__PURE__ */ new Map(), previous: void 0, warnings: [] };
}
async function inspect(api, deployment) {
  const details = await api.deployment(deployment.id);
  if (details === void 0) {
    annotate("warning", "The deployment cannot be shown", ["The rule of the policy does not allow `read`.", "Add it to the actions of the rule."]);
    return { details: deployment, changes: void 0 };
  }
  const before = details.previous === void 0 ? void 0 : await api.deployment(details.previous);
  return { details, changes: changesOf(before, details) };
}
async function verify(api, id) {
  const reason = await api.verify(id);
  if (reason === void 0) return;
  throw new ActionFailure("The deployed Worker is not served", [
    reason,
    `Deployment ${id} was uploaded. See its log with \`dotdo logs\`, and go back with \`dotdo rollback\`.`
  ]);
}
function nameOf(name, pullRequest) {
  if (name === void 0 || name === "") {
    throw new ActionFailure("The Worker has no name", ["The configuration has no name.", "Add it, or set the input worker."]);
  }
  const full = pullRequest === void 0 ? name : `${name}-pr-${pullRequest.number}`;
  if (NAME.test(full)) return full;
  throw new ActionFailure("The name of the Worker is not valid", [
    `${JSON.stringify(full)} does not have 1 to 63 characters of a-z, 0-9 and "-".`,
    "Change name in the configuration, or set the input worker."
  ]);
}
function failureOf3(error) {
  if (error instanceof ActionFailure) return error;
  return new ActionFailure("The deploy failed", [error instanceof Error ? error.message : String(error)]);
}
try {
  await main();
} catch (error) {
  const failure = failureOf3(error);
  annotate("error", failure.title, failure.lines);
  addToSummary(summaryOf("Deploy failed", failure));
  process.exitCode = 1;
}

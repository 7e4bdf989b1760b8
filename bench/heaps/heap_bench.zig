// SPDX-License-Identifier: MIT
// The workloads of carbide_heap_bench_worker on std.heap.smp_allocator: same sizes, same random
// numbers, same line on standard output. The driver compiles it; by hand:
//
//     zig build-exe -O ReleaseFast -mcpu=baseline heap_bench.zig
//     ./heap_bench --allocator zig --workload pairs
//
// smp_allocator is known to the compiler here, as it would not be behind a parameter.
const std = @import("std");
const builtin = @import("builtin");

const allocator: std.mem.Allocator = if (@hasDecl(std.heap, "smp_allocator"))
    std.heap.smp_allocator
else
    @compileError("std.heap.smp_allocator needs Zig 0.14 or newer, and this is " ++
        builtin.zig_version_string);

comptime {
    _ = allocator; // Before anything else of an old Zig does not compile.
}

const Job = struct {
    workload: []const u8 = "",
    thread_count: usize = 1,
    operation_count: u64 = 1_000_000,
    seed: u64 = 1,
    trace: []const u8 = "",
};

const Measurement = struct {
    ns: f64 = 0,
    cpu_ns: f64 = 0,
    operation_count: u64 = 0,
    steady_bytes: usize = 0,
    freed_bytes: usize = 0,
    settled_bytes: usize = 0,
};

// --- Blocks -------------------------------------------------------------------------------------

const alignment = if (@hasDecl(std.mem, "Alignment")) std.mem.Alignment.@"16" else 4;

fn outOfMemory() noreturn {
    @panic("out of memory");
}

inline fn alloc(size_bytes: usize) [*]u8 {
    return allocator.rawAlloc(size_bytes, alignment, @returnAddress()) orelse outOfMemory();
}

inline fn free(memory: [*]u8, size_bytes: usize) void {
    allocator.rawFree(memory[0..size_bytes], alignment, @returnAddress());
}

const Block = struct { memory: [*]u8, size_bytes: usize };

/// From the system, so that the allocator need not find a place for the benchmark's own tables.
fn table(comptime T: type, count: usize) []T {
    const entries = std.heap.page_allocator.alloc(T, count) catch outOfMemory();
    @memset(std.mem.sliceAsBytes(entries), 0);
    return entries;
}

fn release(entries: anytype) void {
    std.heap.page_allocator.free(entries);
}

// --- Random numbers -----------------------------------------------------------------------------

/// Source: G. Steele, D. Lea, C. Flood: SplitMix, 2014.
const Random = struct {
    state: u64,

    fn next(self: *Random) u64 {
        self.state +%= 0x9E3779B97F4A7C15;
        var z = self.state;
        z = (z ^ (z >> 30)) *% 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) *% 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
};

const Sizes = struct { bytes_min: usize, bytes_max: usize };

inline fn indexFrom(number: u64, count: usize) usize {
    return ((number & 0xFFFF_FFFF) * count) >> 32;
}

inline fn sizeFrom(number: u64, sizes: Sizes) usize {
    return sizes.bytes_min + (((number >> 32) * (sizes.bytes_max - sizes.bytes_min + 1)) >> 32);
}

// --- The system ---------------------------------------------------------------------------------
// By system calls: the interfaces of Zig's library for this change with every version.

const linux = std.os.linux;

/// What fits into the buffer.
fn readFile(path: [*:0]const u8, buffer: []u8) []u8 {
    const here: usize = @bitCast(@as(isize, -100));
    const file = linux.syscall4(.openat, here, @intFromPtr(path), 0, 0);
    if (@as(isize, @bitCast(file)) < 0) return buffer[0..0];
    defer _ = linux.syscall1(.close, file);
    var used: usize = 0;
    while (used < buffer.len) {
        const count = linux.syscall3(.read, file, @intFromPtr(buffer.ptr) + used, buffer.len - used);
        if (@as(isize, @bitCast(count)) <= 0) break;
        used += count;
    }
    return buffer[0..used];
}

fn print(comptime format: []const u8, values: anytype) void {
    var buffer: [1024]u8 = undefined;
    const text = std.fmt.bufPrint(&buffer, format, values) catch return;
    _ = linux.syscall3(.write, 1, @intFromPtr(text.ptr), text.len);
}

const Time = extern struct { seconds: isize, nanoseconds: isize };
const Clock = enum(usize) { wall = 1, process = 2, thread = 3 };

fn nowNs(clock: Clock) i64 {
    var time: Time = undefined;
    _ = linux.syscall2(.clock_gettime, @intFromEnum(clock), @intFromPtr(&time));
    return @as(i64, time.seconds) * 1_000_000_000 + time.nanoseconds;
}

fn sleepSecond() void {
    const time = Time{ .seconds = 1, .nanoseconds = 0 };
    _ = linux.syscall2(.nanosleep, @intFromPtr(&time), 0);
}

fn yield() void {
    _ = linux.syscall0(.sched_yield);
}

// --- Measuring ----------------------------------------------------------------------------------

/// The number of KiB behind `label` in a file of /proc, or 0.
fn kibIn(path: [*:0]const u8, label: []const u8) usize {
    var buffer: [4096]u8 = undefined;
    const text = readFile(path, &buffer);
    const found = std.mem.indexOf(u8, text, label) orelse return 0;
    var kib: usize = 0;
    for (text[found + label.len ..]) |character| {
        if (character >= '0' and character <= '9') {
            kib = kib * 10 + (character - '0');
        } else if (kib != 0) break;
    }
    return kib;
}

fn residentBytes() usize {
    return kibIn("/proc/self/smaps_rollup", "\nRss:") << 10;
}

const Span = struct {
    start: i64 = 0,
    end: i64 = 0,
    cpu: i64 = 0,
    clock: Clock = .thread,

    fn begin(clock: Clock) Span {
        return .{ .start = nowNs(.wall), .cpu = -nowNs(clock), .clock = clock };
    }
    fn finish(self: *Span) void {
        self.end = nowNs(.wall);
        self.cpu += nowNs(self.clock);
    }
};

fn evaluate(result: *Measurement, spans: []const Span, thread_count: usize) void {
    var all = spans[0];
    all.cpu = 0;
    for (spans) |span| {
        all.start = @min(all.start, span.start);
        all.end = @max(all.end, span.end);
        all.cpu += span.cpu;
    }
    const core_count = @min(thread_count, std.Thread.getCpuCount() catch 1);
    const operations: f64 = @floatFromInt(result.operation_count);
    result.ns = @as(f64, @floatFromInt(all.end - all.start)) *
        @as(f64, @floatFromInt(core_count)) / operations;
    result.cpu_ns = @as(f64, @floatFromInt(all.cpu)) / operations;
}

fn waitFor(counter: *std.atomic.Value(usize), count: usize) void {
    while (counter.load(.acquire) < count) yield();
}

/// `State` has `init(seed)`, `work(operation_count)` and `deinit()`.
fn onThreads(comptime State: type, job: Job) Measurement {
    var result = Measurement{ .operation_count = job.operation_count * job.thread_count };
    const spans = table(Span, job.thread_count);
    if (job.thread_count == 1) {
        var state = State.init(job.seed);
        spans[0] = Span.begin(.thread);
        state.work(job.operation_count);
        spans[0].finish();
        result.steady_bytes = residentBytes();
        state.deinit();
    } else {
        const Shared = struct {
            ready: std.atomic.Value(usize) = std.atomic.Value(usize).init(0),
            done: std.atomic.Value(usize) = std.atomic.Value(usize).init(0),
            sampled: std.atomic.Value(usize) = std.atomic.Value(usize).init(0),

            fn run(self: *@This(), its_job: Job, seed: u64, span: *Span) void {
                var state = State.init(seed);
                _ = self.ready.fetchAdd(1, .acq_rel);
                waitFor(&self.ready, its_job.thread_count);
                span.* = Span.begin(.thread);
                state.work(its_job.operation_count);
                span.finish();
                _ = self.done.fetchAdd(1, .acq_rel);
                while (self.sampled.load(.acquire) == 0) yield();
                state.deinit();
            }
        };
        var shared = Shared{};
        const threads = table(std.Thread, job.thread_count);
        for (threads, spans, 0..) |*thread, *span, i| {
            thread.* = spawn(Shared.run, .{ &shared, job, job.seed + i, span });
        }
        waitForQuietly(&shared.done, job.thread_count);
        result.steady_bytes = residentBytes();
        shared.sampled.store(1, .release);
        for (threads) |thread| thread.join();
    }
    result.freed_bytes = residentBytes();
    evaluate(&result, spans, job.thread_count);
    return result;
}

/// Without taking a core from those who work.
fn waitForQuietly(counter: *std.atomic.Value(usize), count: usize) void {
    const time = Time{ .seconds = 0, .nanoseconds = 1_000_000 };
    while (counter.load(.acquire) < count) {
        _ = linux.syscall2(.nanosleep, @intFromPtr(&time), 0);
    }
}

fn spawn(comptime function: anytype, arguments: anytype) std.Thread {
    return std.Thread.spawn(.{}, function, arguments) catch @panic("no thread");
}

fn fill(blocks: []Block, random: *Random, sizes: Sizes) void {
    for (blocks) |*block| {
        const size_bytes = sizeFrom(random.next(), sizes);
        block.* = .{ .memory = alloc(size_bytes), .size_bytes = size_bytes };
        block.memory[0] = 1;
    }
}

fn freeAll(blocks: []Block) void {
    for (blocks) |block| free(block.memory, block.size_bytes);
}

inline fn replace(block: *Block, size_bytes: usize) void {
    free(block.memory, block.size_bytes);
    block.* = .{ .memory = alloc(size_bytes), .size_bytes = size_bytes };
    block.memory[0] = 1;
}

noinline fn replaceRandomly(blocks: []Block, random: *Random, sizes: Sizes, count: u64) void {
    for (0..count) |_| {
        const number = random.next();
        replace(&blocks[indexFrom(number, blocks.len)], sizeFrom(number, sizes));
    }
}

// --- pairs, nodes -------------------------------------------------------------------------------

const Pairs = struct {
    const bytes = 64;
    const depth = 16;

    fn init(_: u64) Pairs {
        var state = Pairs{};
        state.work(100_000);
        return state;
    }
    noinline fn work(_: *Pairs, count: u64) void {
        var i: u64 = 0;
        while (i < count) : (i += depth) {
            var blocks: [depth][*]u8 = undefined;
            for (&blocks) |*block| {
                block.* = alloc(bytes);
                std.mem.doNotOptimizeAway(block.*);
                block.*[0] = 1;
            }
            var left: usize = depth;
            while (left > 0) {
                left -= 1;
                free(blocks[left], bytes);
            }
        }
    }
    fn deinit(_: *Pairs) void {}
};

const Node = extern struct { next: ?*Node, values: [3]u64 };

const Nodes = struct {
    const live_count = 1_000;

    fn init(_: u64) Nodes {
        var state = Nodes{};
        state.work(100_000);
        return state;
    }
    noinline fn work(_: *Nodes, count: u64) void {
        var i: u64 = 0;
        while (i < count) : (i += live_count) {
            var first: ?*Node = null;
            for (0..live_count) |n| {
                const node: *Node = @ptrCast(@alignCast(alloc(@sizeOf(Node))));
                node.* = .{ .next = first, .values = .{ i, n, 0 } };
                first = node;
            }
            while (first) |node| {
                first = node.next;
                free(@ptrCast(node), @sizeOf(Node));
            }
        }
    }
    fn deinit(_: *Nodes) void {}
};

// --- replace-10k, replace-1m --------------------------------------------------------------------

const replaced_sizes = Sizes{ .bytes_min = 16, .bytes_max = 16 << 10 };

fn Replacing(comptime live_count: usize) type {
    return struct {
        blocks: []Block,
        random: Random,

        fn init(seed: u64) @This() {
            var state = @This(){ .blocks = table(Block, live_count), .random = .{ .state = seed } };
            fill(state.blocks, &state.random, replaced_sizes);
            state.work(@max(live_count, 100_000));
            return state;
        }
        fn work(self: *@This(), count: u64) void {
            replaceRandomly(self.blocks, &self.random, replaced_sizes, count);
        }
        fn deinit(self: *@This()) void {
            freeAll(self.blocks);
            release(self.blocks);
        }
    };
}

// --- asymmetric, peak ---------------------------------------------------------------------------

const BlockKind = struct {
    percent_max: usize,
    live_count: usize,
    sizes: Sizes,
    oldest_first: bool,
};

const block_kinds = [_]BlockKind{
    .{
        .percent_max = 90,
        .live_count = 20_000,
        .sizes = .{ .bytes_min = 16, .bytes_max = 256 },
        .oldest_first = false,
    },
    .{
        .percent_max = 99,
        .live_count = 2_000,
        .sizes = .{ .bytes_min = 257, .bytes_max = 8 << 10 },
        .oldest_first = true,
    },
    .{
        .percent_max = 100,
        .live_count = 64,
        .sizes = .{ .bytes_min = (8 << 10) + 1, .bytes_max = 512 << 10 },
        .oldest_first = true,
    },
};

fn kindFrom(number: u64) usize {
    const percent = indexFrom(number, 100);
    for (block_kinds, 0..) |kind, k| {
        if (percent < kind.percent_max) return k;
    }
    return 0;
}

fn touchPages(block: Block) void {
    var i: usize = 0;
    while (i < block.size_bytes) : (i += 4096) {
        @as(*volatile u8, &block.memory[i]).* = 1;
    }
}

const Mixing = struct {
    blocks: [3][]Block,
    oldest: [3]usize = .{ 0, 0, 0 },
    random: Random,

    fn init(seed: u64) Mixing {
        var state = Mixing{ .blocks = undefined, .random = .{ .state = seed } };
        for (block_kinds, 0..) |kind, k| {
            state.blocks[k] = table(Block, kind.live_count);
            fill(state.blocks[k], &state.random, kind.sizes);
        }
        state.work(100_000);
        return state;
    }
    noinline fn work(self: *Mixing, count: u64) void {
        for (0..count) |_| {
            const k = kindFrom(self.random.next());
            const kind = block_kinds[k];
            const number = self.random.next();
            var index = indexFrom(number, kind.live_count);
            if (kind.oldest_first) {
                index = self.oldest[k];
                self.oldest[k] = if (index + 1 == kind.live_count) 0 else index + 1;
            }
            const block = &self.blocks[k][index];
            replace(block, sizeFrom(number, kind.sizes));
            touchPages(block.*);
        }
    }
    fn deinit(self: *Mixing) void {
        for (self.blocks) |blocks| {
            freeAll(blocks);
            release(blocks);
        }
    }
};

fn peak(job: Job) Measurement {
    var result = Measurement{ .operation_count = job.operation_count };
    var random = Random{ .state = job.seed };
    const blocks = table(Block, job.operation_count);
    var up = Span.begin(.thread);
    for (blocks) |*block| {
        const kind = block_kinds[kindFrom(random.next())];
        const size_bytes = sizeFrom(random.next(), kind.sizes);
        block.* = .{ .memory = alloc(size_bytes), .size_bytes = size_bytes };
        touchPages(block.*);
    }
    up.finish();
    result.steady_bytes = residentBytes();
    var left = blocks.len;
    while (left > 1) : (left -= 1) {
        std.mem.swap(Block, &blocks[left - 1], &blocks[indexFrom(random.next(), left)]);
    }
    var down = Span.begin(.thread);
    freeAll(blocks);
    down.finish();
    release(blocks);
    result.freed_bytes = residentBytes();
    sleepSecond();
    result.settled_bytes = residentBytes();
    down.start -= up.end - up.start;
    down.cpu += up.cpu;
    evaluate(&result, &[_]Span{down}, 1);
    return result;
}

// --- producer-consumer --------------------------------------------------------------------------

const passed_sizes = Sizes{ .bytes_min = 16, .bytes_max = 1024 };

const Ring = struct {
    const slot_count = 1024;

    head: std.atomic.Value(usize) align(128),
    tail: std.atomic.Value(usize) align(128),
    slots: [slot_count]Block align(128),

    fn put(self: *Ring, block: Block) void {
        const head = self.head.load(.monotonic);
        var attempt: usize = 0;
        while (head - self.tail.load(.acquire) >= slot_count) : (attempt += 1) {
            if (attempt % 64 == 63) yield();
        }
        self.slots[head % slot_count] = block;
        self.head.store(head + 1, .release);
    }
    fn take(self: *Ring) Block {
        const tail = self.tail.load(.monotonic);
        var attempt: usize = 0;
        while (self.head.load(.acquire) == tail) : (attempt += 1) {
            if (attempt % 64 == 63) yield();
        }
        const block = self.slots[tail % slot_count];
        self.tail.store(tail + 1, .release);
        return block;
    }

    noinline fn produce(self: *Ring, random: *Random, count: u64) void {
        for (0..count) |_| {
            const size_bytes = sizeFrom(random.next(), passed_sizes);
            const memory = alloc(size_bytes);
            memory[0] = 1;
            self.put(.{ .memory = memory, .size_bytes = size_bytes });
        }
    }
    noinline fn consume(self: *Ring, count: u64) usize {
        var sum: usize = 0;
        for (0..count) |_| {
            const block = self.take();
            sum += block.memory[0];
            free(block.memory, block.size_bytes);
        }
        return sum;
    }
};

const Passing = struct {
    ring: *Ring,
    ready: *std.atomic.Value(usize),
    thread_count: usize,
    count: u64,
    seed: u64,
    halfway_bytes: ?*usize,
    spans: []Span,

    fn runProducer(self: Passing) void {
        var random = Random{ .state = self.seed };
        _ = self.ready.fetchAdd(1, .acq_rel);
        waitFor(self.ready, self.thread_count);
        self.spans[0] = Span.begin(.thread);
        self.ring.produce(&random, self.count / 2);
        if (self.halfway_bytes) |bytes| bytes.* = residentBytes();
        self.ring.produce(&random, self.count - self.count / 2);
        self.spans[0].finish();
    }
    fn runConsumer(self: Passing) void {
        _ = self.ready.fetchAdd(1, .acq_rel);
        waitFor(self.ready, self.thread_count);
        self.spans[1] = Span.begin(.thread);
        if (self.ring.consume(self.count) == 0) outOfMemory();
        self.spans[1].finish();
    }
};

fn producerConsumer(job: Job) Measurement {
    const pair_count = @max(job.thread_count / 2, 1);
    var result = Measurement{ .operation_count = job.operation_count * pair_count };
    const rings = table(Ring, pair_count);
    const spans = table(Span, 2 * pair_count);
    const threads = table(std.Thread, 2 * pair_count);
    var ready = std.atomic.Value(usize).init(0);
    for (rings, 0..) |*ring, i| {
        const passing = Passing{
            .ring = ring,
            .ready = &ready,
            .thread_count = 2 * pair_count,
            .count = job.operation_count,
            .seed = job.seed + i,
            .halfway_bytes = if (i == 0) &result.steady_bytes else null,
            .spans = spans[2 * i .. 2 * i + 2],
        };
        threads[2 * i] = spawn(Passing.runProducer, .{passing});
        threads[2 * i + 1] = spawn(Passing.runConsumer, .{passing});
    }
    for (threads) |thread| thread.join();
    result.freed_bytes = residentBytes();
    evaluate(&result, spans, 2 * pair_count);
    return result;
}

// --- larson -------------------------------------------------------------------------------------

const Lane = struct {
    const sizes = Sizes{ .bytes_min = 16, .bytes_max = 1024 };
    const live_count = 1_000;
    const count_of_one_thread = 10_000;

    blocks: []Block,
    random: Random,
    threads: []std.Thread,

    fn init(job: Job, index: usize) Lane {
        var lane = Lane{
            .blocks = table(Block, live_count),
            .random = .{ .state = job.seed + index },
            .threads = table(std.Thread, @max(job.operation_count / count_of_one_thread, 1)),
        };
        fill(lane.blocks, &lane.random, sizes);
        return lane;
    }
    fn start(self: *Lane, generation: usize) void {
        self.threads[generation] = spawn(run, .{ self, generation });
    }
    fn run(self: *Lane, generation: usize) void {
        replaceRandomly(self.blocks, &self.random, sizes, count_of_one_thread);
        if (generation + 1 < self.threads.len) self.start(generation + 1);
    }
    fn join(self: *Lane) void {
        for (self.threads) |*thread| thread.join();
    }
};

fn larson(job: Job) Measurement {
    var result = Measurement{};
    const lanes = table(Lane, job.thread_count);
    for (lanes, 0..) |*lane, i| lane.* = Lane.init(job, i);
    var span = Span.begin(.process);
    for (lanes) |*lane| lane.start(0);
    for (lanes) |*lane| lane.join();
    span.finish();
    result.steady_bytes = residentBytes();
    for (lanes) |lane| {
        result.operation_count += lane.threads.len * Lane.count_of_one_thread;
        freeAll(lane.blocks);
    }
    result.freed_bytes = residentBytes();
    evaluate(&result, &[_]Span{span}, job.thread_count);
    return result;
}

// --- trace --------------------------------------------------------------------------------------

const Event = struct { slot: u32, size_bytes: u32 }; // 0 bytes: the block is freed.

const Trace = struct {
    events: []Event,
    allocation_count: usize = 0,
    slot_count: u32 = 0,

    const none = std.math.maxInt(u32);

    fn load(path: []const u8) Trace {
        const bytes_max = 16 << 20;
        var path_z: [4096:0]u8 = undefined;
        if (path.len >= path_z.len) @panic("the trace's path is too long");
        @memcpy(path_z[0..path.len], path);
        path_z[path.len] = 0;
        const bytes = readFile(&path_z, table(u8, bytes_max));
        if (bytes.len == 0) @panic("the trace cannot be read, or is empty");

        var trace = Trace{ .events = table(Event, 2 * bytes.len) };
        const slot_of_allocation = table(u32, bytes.len);
        const free_slots = table(u32, bytes.len);
        var free_count: usize = 0;
        var event_count: usize = 0;
        var number: u64 = 0;
        var shift: u6 = 0;
        for (bytes) |byte| {
            number |= @as(u64, byte & 0x7F) << shift;
            shift += 7;
            if (byte >= 0x80) continue;
            if (number & 1 == 0) {
                var slot = trace.slot_count;
                if (free_count == 0) {
                    trace.slot_count += 1;
                } else {
                    free_count -= 1;
                    slot = free_slots[free_count];
                }
                slot_of_allocation[trace.allocation_count] = slot;
                trace.allocation_count += 1;
                trace.events[event_count] = .{ .slot = slot, .size_bytes = @intCast(number >> 1) };
            } else {
                const slot = &slot_of_allocation[trace.allocation_count - 1 - (number >> 1)];
                if (slot.* == none) @panic("the trace frees a block twice");
                trace.events[event_count] = .{ .slot = slot.*, .size_bytes = 0 };
                free_slots[free_count] = slot.*;
                free_count += 1;
                slot.* = none;
            }
            event_count += 1;
            number = 0;
            shift = 0;
        }
        for (slot_of_allocation[0..trace.allocation_count]) |slot| {
            if (slot == none) continue;
            trace.events[event_count] = .{ .slot = slot, .size_bytes = 0 };
            event_count += 1;
        }
        trace.events = trace.events[0..event_count];
        release(free_slots);
        release(slot_of_allocation);
        release(bytes.ptr[0..bytes_max]);
        return trace;
    }
};

noinline fn replay(events: []const Event, blocks: []Block) void {
    for (events) |event| {
        const block = &blocks[event.slot];
        if (event.size_bytes == 0) {
            free(block.memory, block.size_bytes);
        } else {
            block.* = .{ .memory = alloc(event.size_bytes), .size_bytes = event.size_bytes };
            block.memory[0] = 1;
        }
    }
}

fn replayTrace(job: Job) Measurement {
    const trace = Trace.load(job.trace);
    const blocks = table(Block, trace.slot_count);
    const pass_count = @max(job.operation_count / trace.allocation_count, 1);
    replay(trace.events, blocks); // Not timed.
    var result = Measurement{ .operation_count = pass_count * trace.allocation_count };
    var span = Span.begin(.thread);
    for (0..pass_count) |_| replay(trace.events, blocks);
    span.finish();
    const sampled_at = trace.events.len / 4 * 3;
    replay(trace.events[0..sampled_at], blocks);
    result.steady_bytes = residentBytes();
    replay(trace.events[sampled_at..], blocks);
    result.freed_bytes = residentBytes();
    evaluate(&result, &[_]Span{span}, 1);
    return result;
}

// --- The command line ---------------------------------------------------------------------------

fn refuse(text: []const u8) noreturn {
    std.debug.print("heap_bench.zig: unexpected '{s}'\n", .{text});
    std.process.exit(2);
}

fn numberFrom(text: []const u8) u64 {
    const number = std.fmt.parseInt(u64, text, 10) catch refuse(text);
    if (number == 0) refuse(text);
    return number;
}

fn parse(command_line: []const u8) Job {
    var job = Job{};
    var words = std.mem.splitScalar(u8, command_line, 0);
    _ = words.next();
    while (words.next()) |option| {
        if (option.len == 0) break; // Behind the last one.
        const value = words.next() orelse refuse(option);
        if (std.mem.eql(u8, option, "--allocator")) {
            if (!std.mem.eql(u8, value, "zig")) refuse(value);
        } else if (std.mem.eql(u8, option, "--workload")) {
            job.workload = value;
        } else if (std.mem.eql(u8, option, "--threads")) {
            job.thread_count = numberFrom(value);
        } else if (std.mem.eql(u8, option, "--operations")) {
            job.operation_count = numberFrom(value);
        } else if (std.mem.eql(u8, option, "--seed")) {
            job.seed = numberFrom(value);
        } else if (std.mem.eql(u8, option, "--trace")) {
            job.trace = value;
        } else refuse(option);
    }
    return job;
}

fn runNamed(job: Job) Measurement {
    const name = job.workload;
    if (std.mem.eql(u8, name, "pairs")) return onThreads(Pairs, job);
    if (std.mem.eql(u8, name, "nodes")) return onThreads(Nodes, job);
    if (std.mem.eql(u8, name, "replace-10k")) return onThreads(Replacing(10_000), job);
    if (std.mem.eql(u8, name, "replace-1m")) return onThreads(Replacing(1_000_000), job);
    if (std.mem.eql(u8, name, "producer-consumer")) return producerConsumer(job);
    if (std.mem.eql(u8, name, "larson")) return larson(job);
    if (std.mem.eql(u8, name, "asymmetric")) return onThreads(Mixing, job);
    if (std.mem.eql(u8, name, "peak")) return peak(job);
    if (std.mem.eql(u8, name, "trace")) return replayTrace(job);
    refuse(name);
}

pub fn main() void {
    var buffer: [4096]u8 = undefined;
    const result = runNamed(parse(readFile("/proc/self/cmdline", &buffer)));
    print("{{\"ns\": {d:.3}, \"cpu_ns\": {d:.3}, \"operations\": {d}, \"steady_bytes\": {d}, " ++
        "\"peak_bytes\": {d}, \"freed_bytes\": {d}, \"settled_bytes\": {d}}}\n", .{
        result.ns,
        result.cpu_ns,
        result.operation_count,
        result.steady_bytes,
        kibIn("/proc/self/status", "VmHWM:") << 10,
        result.freed_bytes,
        result.settled_bytes,
    });
}

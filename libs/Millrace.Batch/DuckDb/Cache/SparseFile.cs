using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;
using Millrace.ObjectStore;

namespace Millrace.Batch.DuckDb.Cache;

/// <summary>
/// A Parquet object as a local file of its size that has only those bytes that somebody needed. Objects never change,
/// so what is there stays right.
/// </summary>
internal sealed class SparseFile(IObjectStore store, string key, string path, long bytes, BatchMetrics metrics)
{
    private const int MagicBytes = 4;
    private const int TailBytes = 64 * 1024;
    private const int WholeBytesMax = 256 * 1024;
    private const int GapBytesMax = 256 * 1024;
    private const int RequestBytesMax = 16 * 1024 * 1024;

    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly ByteRanges _there = new();
    private bool _hasFooter;

    public string Path => path;

    /// <summary>How many statements need it now.</summary>
    public int Users { get; set; }

    public long LastUse { get; set; }

    /// <summary>Bytes that it takes of the disk.</summary>
    public long BytesThere { get; private set; }

    /// <summary>Sees to it that the footer is there, which says where the columns are.</summary>
    public async ValueTask FetchFooterAsync(CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_hasFooter) return;
            if (bytes <= WholeBytesMax)
            {
                await FetchAsync([new ByteRange(0, bytes)], ct).ConfigureAwait(false);
            }
            else
            {
                await FetchAsync([new ByteRange(0, MagicBytes), new ByteRange(bytes - TailBytes, bytes)], ct)
                    .ConfigureAwait(false);
                var footer = FooterBytes();
                await FetchAsync([new ByteRange(Math.Max(0, bytes - footer), bytes)], ct).ConfigureAwait(false);
            }

            _hasFooter = true;
        }
        finally
        {
            _one.Release();
        }
    }

    public async ValueTask FetchColumnsAsync(IEnumerable<ByteRange> ranges, CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            await FetchAsync(ranges, ct).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>The footer ends with its length in 4 bytes and the magic ones.</summary>
    private long FooterBytes()
    {
        using var file = File.OpenHandle(path);
        Span<byte> length = stackalloc byte[MagicBytes];
        RandomAccess.Read(file, length, bytes - 2 * MagicBytes);
        return BinaryPrimitives.ReadUInt32LittleEndian(length) + 2L * MagicBytes;
    }

    private async ValueTask FetchAsync(IEnumerable<ByteRange> wanted, CancellationToken ct)
    {
        var inFile = wanted.Select(range => new ByteRange(Math.Max(0, range.From), Math.Min(bytes, range.To)));
        var missing = ByteRanges.Merged(inFile.SelectMany(_there.Missing).ToList(), GapBytesMax);
        if (missing.Count == 0) return;
        using var file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        if (RandomAccess.GetLength(file) != bytes) RandomAccess.SetLength(file, bytes);
        foreach (var range in missing)
        {
            for (var at = range.From; at < range.To; at += RequestBytesMax)
            {
                var part = new ByteRange(at, Math.Min(range.To, at + RequestBytesMax));
                await FetchPartAsync(file, part, ct).ConfigureAwait(false);
            }
        }
    }

    private async ValueTask FetchPartAsync(SafeFileHandle file, ByteRange part, CancellationToken ct)
    {
        var content = await store.GetRangeAsync(key, part.From, (int)part.Bytes, ct).ConfigureAwait(false);
        if (content is null || content.Length != part.Bytes)
        {
            throw BatchErrors.Refused.With(key, "The table's log names this object, and it is not there, or shorter.")
                .AsException();
        }

        await RandomAccess.WriteAsync(file, content, part.From, ct).ConfigureAwait(false);
        _there.Add(part);
        BytesThere = _there.Bytes;
        metrics.Fetched(part.Bytes);
    }
}

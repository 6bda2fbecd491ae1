using System.Buffers.Binary;

namespace Millrace.Batch.DuckDb.Cache;

/// <summary>
/// What the footer of a Parquet file says of its row groups (parquet-format, <c>FileMetaData</c>), and the footer that
/// a file with one of them alone has.
/// </summary>
internal sealed class ParquetFooter
{
    /// <summary>The footer's length and the magic bytes, which end the file.</summary>
    public const int EndBytes = 8;

    private readonly byte[] _bytes;
    private readonly List<ParquetLeaf> _leaves = [];
    private readonly List<RowGroup> _groups = [];

    /// <summary>Where the number of the file's rows stands, and where its row groups.</summary>
    private (int From, int To) _rowsAt, _groupsAt;

    private ParquetFooter(ReadOnlySpan<byte> bytes) => _bytes = bytes.ToArray();

    public static ReadOnlySpan<byte> Magic => "PAR1"u8;

    public IReadOnlyList<RowGroup> Groups => _groups;

    /// <summary>How long the footer is that the last bytes of a file end, with these <see cref="EndBytes"/>.</summary>
    public static long LengthIn(ReadOnlySpan<byte> tail)
    {
        if (tail.Length < EndBytes || !tail.EndsWith(Magic)) throw new InvalidDataException("It is no Parquet file.");
        return BinaryPrimitives.ReadUInt32LittleEndian(tail[^EndBytes..]) + (long)EndBytes;
    }

    /// <param name="footer">Up to the end of the file.</param>
    public static ParquetFooter Read(ReadOnlySpan<byte> footer)
    {
        var read = new ParquetFooter(footer[..^EndBytes]);
        read.ReadFile();
        return read;
    }

    /// <summary>The footer of a file that has this row group alone, and the end of the file.</summary>
    public byte[] Only(RowGroup group)
    {
        const int oneStruct = (1 << 4) | CompactReader.Struct;
        byte[] footer =
        [
            .. _bytes[.._rowsAt.From], .. CompactReader.Encoded(group.Rows), .. _bytes[_rowsAt.To.._groupsAt.From],
            oneStruct, .. _bytes[group.Footer], .. _bytes[_groupsAt.To..],
        ];
        var end = new byte[EndBytes];
        BinaryPrimitives.WriteInt32LittleEndian(end, footer.Length);
        Magic.CopyTo(end.AsSpan(sizeof(int)));
        return [.. footer, .. end];
    }

    private void ReadFile()
    {
        var reader = new CompactReader(_bytes);
        for (var id = 0; reader.NextField(ref id, out var type);)
        {
            var from = reader.At;
            switch (id)
            {
                case 2: ReadSchema(ref reader); break;
                case 3:
                    reader.Whole();
                    _rowsAt = (from, reader.At);
                    break;
                case 4:
                    ReadGroups(ref reader);
                    _groupsAt = (from, reader.At);
                    break;
                default: reader.Skip(type); break;
            }
        }

        if (_rowsAt.To == 0 || _groupsAt.From < _rowsAt.To) throw new InvalidDataException("It lacks its row groups.");
    }

    private void ReadSchema(ref CompactReader reader)
    {
        for (var left = reader.ListHead().Count; left > 0; left--)
        {
            if (ParquetLeaf.Read(ref reader) is { } leaf) _leaves.Add(leaf);
        }
    }

    private void ReadGroups(ref CompactReader reader)
    {
        for (var left = reader.ListHead().Count; left > 0; left--)
            _groups.Add(RowGroup.Read(ref reader, _groups.Count, _leaves));
    }
}

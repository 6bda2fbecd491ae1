namespace Millrace.Batch.DuckDb.Cache;

/// <summary>
/// Reads what is written in Thrift's compact protocol, as the footers of Parquet files are. What is no such thing is an
/// <see cref="InvalidDataException"/>.
/// </summary>
internal ref struct CompactReader(ReadOnlySpan<byte> bytes)
{
    public const int Binary = 8;
    public const int List = 9;
    public const int Struct = 12;

    private const int DepthMax = 32;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Where the next value begins.</summary>
    public int At { get; private set; }

    /// <summary>A number as the protocol writes it.</summary>
    public static byte[] Encoded(long value)
    {
        var zigzag = (ulong)((value << 1) ^ (value >> 63));
        var encoded = new List<byte>();
        for (; zigzag >= 0x80; zigzag >>= 7) encoded.Add((byte)(zigzag | 0x80));
        encoded.Add((byte)zigzag);
        return [.. encoded];
    }

    /// <summary>The next field of a struct whose last one was <paramref name="id"/>; false at its end.</summary>
    public bool NextField(ref int id, out int type)
    {
        var head = Byte();
        type = head & 0x0F;
        if (head == 0) return false;
        id = head >> 4 is > 0 and var step ? id + step : (int)Whole();
        return true;
    }

    /// <summary>A number of 16, 32 or 64 bits.</summary>
    public long Whole()
    {
        var zigzag = Unsigned();
        return (long)(zigzag >> 1) ^ -(long)(zigzag & 1);
    }

    public ReadOnlySpan<byte> Bytes() => Take(Length());

    public string Text() => System.Text.Encoding.UTF8.GetString(Bytes());

    /// <summary>How many elements follow, and of which type.</summary>
    public (int Count, int Type) ListHead()
    {
        var head = Byte();
        return (head >> 4 is < 15 and var few ? few : Length(), head & 0x0F);
    }

    /// <summary>Passes a field's value over.</summary>
    public void Skip(int type) => Skip(type, isField: true, DepthMax);

    private void Skip(int type, bool isField, int depth)
    {
        if (depth == 0) throw new InvalidDataException("Structs are nested too deep.");
        switch (type)
        {
            // A boolean field is its type, and has no value.
            case 1 or 2: Take(isField ? 0 : 1); break;
            case 3: Take(1); break;
            case 4 or 5 or 6: Unsigned(); break;
            case 7: Take(sizeof(double)); break;
            case Binary: Bytes(); break;
            case List or 10: SkipList(depth - 1); break;
            case 11: SkipMap(depth - 1); break;
            case Struct:
                for (var id = 0; NextField(ref id, out var inner);) Skip(inner, isField: true, depth - 1);
                break;
            default: throw new InvalidDataException($"There is no type {type}.");
        }
    }

    private void SkipList(int depth)
    {
        var (count, type) = ListHead();
        for (var i = 0; i < count; i++) Skip(type, isField: false, depth);
    }

    private void SkipMap(int depth)
    {
        var count = Length();
        if (count == 0) return;
        var types = Byte();
        for (var i = 0; i < count; i++)
        {
            Skip(types >> 4, isField: false, depth);
            Skip(types & 0x0F, isField: false, depth);
        }
    }

    private int Length()
    {
        var length = Unsigned();
        return length <= int.MaxValue ? (int)length : throw new InvalidDataException($"A length of {length} bytes.");
    }

    private ulong Unsigned()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Byte();
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80) return value;
        }

        throw new InvalidDataException("A number does not end.");
    }

    private int Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - At) throw new InvalidDataException("It is cut off.");
        var taken = _bytes.Slice(At, count);
        At += count;
        return taken;
    }
}

using System.Text;

namespace Millrace.Saql.Json;

/// <summary>A field as one reader reads it, with the members that the last object of it had.</summary>
internal sealed class ReadField
{
    private readonly byte[] _name;
    private KnownMember[] _known = new KnownMember[1];

    public ReadField(FieldNode node)
    {
        _name = node.Name;
        Slot = node.Slot;
        Children = Array.ConvertAll(node.Children, child => new ReadField(child));
    }

    public int Slot { get; }

    public ReadField[] Children { get; }

    /// <summary>Whether a name is this field's: exactly, or but for the case of ASCII letters.</summary>
    public bool IsNamed(ReadOnlySpan<byte> name, out bool isExact)
    {
        isExact = false;
        if (name.Length != _name.Length) return false;
        isExact = name.SequenceEqual(_name);
        return isExact || Ascii.EqualsIgnoreCase(name, _name);
    }

    /// <summary>The member that an object had at this place last; behind the last is one that is never met.</summary>
    public ref readonly KnownMember Known(int place) => ref _known[Math.Min(place, _known.Length - 1)];

    /// <summary>Keeps what is written before a member's value, so that the next object's is known by it.</summary>
    /// <param name="read">What is read of it; null for nothing.</param>
    public void Learn(int place, ReadOnlySpan<byte> written, ReadField? read, bool isExact)
    {
        if (place >= KnownMember.CountMax || written.Length > KnownMember.LengthMax) return;
        if (place >= _known.Length - 1) Array.Resize(ref _known, Math.Max(place + 2, 2 * _known.Length));
        _known[place] = new KnownMember(written, read, isExact);
    }
}

namespace Millrace.StreamProcessor.References;

/// <summary>Entries as they are read, up to a limit.</summary>
internal sealed class EntryList(long bytesMax)
{
    private readonly List<byte[]> _entries = [];
    private long _bytes;

    public void Add(byte[] entry)
    {
        _bytes += entry.Length;
        if (_bytes > bytesMax) throw TooLarge(bytesMax);
        _entries.Add(entry);
    }

    public IReadOnlyList<byte[]> Entries => _entries;

    public static Exception TooLarge(long bytesMax) => StreamProcessorErrors.ReferenceTooLarge.With(
        $"more than {bytesMax} bytes").AsException();
}

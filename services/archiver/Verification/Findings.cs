namespace Millrace.Archiver.Verification;

/// <summary>Some of what is wrong, with the offset.</summary>
internal sealed class Findings
{
    private const int ExamplesMax = 20;

    private readonly List<string> _examples = [];

    public IReadOnlyList<string> Examples => _examples;

    public void Add(ref long count, string what, long offset)
    {
        count++;
        if (_examples.Count < ExamplesMax) _examples.Add($"{offset}: {what}");
    }
}

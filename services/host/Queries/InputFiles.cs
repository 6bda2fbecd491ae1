using Millrace.Saql.Extensions;
using Millrace.Saql.Files;

namespace Millrace.Queries;

/// <summary>
/// The files of a run as JSON lines: what is packed or of another format is written so into a folder of its own, which
/// is gone when the run is over.
/// </summary>
internal sealed class InputFiles(QueryExtensions extensions) : IDisposable
{
    private DirectoryInfo? _folder;

    /// <summary>The format of an input's file knows text alone.</summary>
    public bool IsUntyped(string input, string file) => InputFormats.IsUntyped(Ending(file), extensions, input);

    public async Task<string> LinesOfAsync(string input, string file, CancellationToken ct)
    {
        var isPacked = IsPacked(file);
        var ending = Ending(file);
        var isOther = InputFormats.IsOther(ending, extensions, input);
        if (!isPacked && !isOther) return file;
        var plain = isPacked ? Unpack(file) : file;
        if (!isOther) return plain;
        var lines = InputFormats.ToLines(await File.ReadAllBytesAsync(plain, ct), ending, extensions, input);
        var target = NewFile();
        await File.WriteAllBytesAsync(target, lines, ct);
        return target;
    }

    private string Unpack(string file)
    {
        using var packed = File.OpenRead(file);
        var name = NewFile();
        using var plain = new FileStream(name, FileMode.CreateNew, FileAccess.ReadWrite);
        InputFormats.Unpack(packed, plain, file);
        return name;
    }

    private string NewFile()
    {
        _folder ??= Directory.CreateTempSubdirectory("millrace-");
        return Path.Combine(_folder.FullName, Guid.NewGuid().ToString("N"));
    }

    private static bool IsPacked(string file) =>
        Path.GetExtension(file).Equals(".gz", StringComparison.OrdinalIgnoreCase);

    private static string Ending(string file) =>
        Path.GetExtension(IsPacked(file) ? file[..^3] : file).ToLowerInvariant();

    public void Dispose() => _folder?.Delete(recursive: true);
}

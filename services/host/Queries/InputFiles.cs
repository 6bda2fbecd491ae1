using System.IO.Compression;
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
        _folder ??= Directory.CreateTempSubdirectory("millrace-");
        var lines = Path.Combine(_folder.FullName, Guid.NewGuid().ToString("N"));
        await using (var target = File.Create(lines))
        {
            await using Stream source = isPacked
                ? new GZipStream(File.OpenRead(file), CompressionMode.Decompress)
                : File.OpenRead(file);
            if (!isOther) await source.CopyToAsync(target, ct);
            else
            {
                using var content = new MemoryStream();
                await source.CopyToAsync(content, ct);
                await target.WriteAsync(InputFormats.ToLines(content.ToArray(), ending, extensions, input), ct);
            }
        }

        return lines;
    }

    private static bool IsPacked(string file) =>
        Path.GetExtension(file).Equals(".gz", StringComparison.OrdinalIgnoreCase);

    private static string Ending(string file) =>
        Path.GetExtension(IsPacked(file) ? file[..^3] : file).ToLowerInvariant();

    public void Dispose() => _folder?.Delete(recursive: true);
}

namespace Millrace.Saql.Extensions;

/// <summary>
/// What an installation says of the language: its functions, formats of bodies, and reference data, and how large a
/// query may become.
/// </summary>
public sealed class QueryExtensions
{
    public static QueryExtensions None { get; } = new([], new Dictionary<string, IBodyDecoder>(), new
        Dictionary<string, string>(), []);

    private readonly Dictionary<string, UserFunction> _functions;
    private readonly Dictionary<string, IBodyDecoder> _decoders;
    private readonly Dictionary<string, string> _contentTypes;

    /// <param name="decoders">By media type, such as application/x-protobuf.</param>
    /// <param name="contentTypes">By input, what its records are that do not say it themselves.</param>
    /// <param name="references">Names of reference data.</param>
    public QueryExtensions(
        IEnumerable<UserFunction> functions, IReadOnlyDictionary<string, IBodyDecoder> decoders,
        IReadOnlyDictionary<string, string> contentTypes, IReadOnlyCollection<string> references)
    {
        References = references;
        _functions = functions.ToDictionary(function => function.Name, StringComparer.OrdinalIgnoreCase);
        _decoders = new Dictionary<string, IBodyDecoder>(decoders, StringComparer.OrdinalIgnoreCase);
        _contentTypes = new Dictionary<string, string>(contentTypes, StringComparer.OrdinalIgnoreCase);
    }

    public IEnumerable<string> FunctionNames =>
        _functions.Values.Select(function => UserFunction.Prefix + function.Name);

    /// <summary>The names of reference data, besides those that every hub has.</summary>
    public IReadOnlyCollection<string> References { get; }

    public PlanLimits Limits { get; init; } = PlanLimits.Default;

    internal bool HasDecoders => _decoders.Count > 0;

    /// <param name="contentType">With or without parameters.</param>
    internal IBodyDecoder? DecoderOf(string contentType) => _decoders.GetValueOrDefault(MediaTypeOf(contentType));

    internal static string MediaTypeOf(string contentType) => contentType.Split(';')[0].Trim();

    internal string ContentTypeOf(string input) => _contentTypes.GetValueOrDefault(input, "");

    internal UserFunction? Function(string name) =>
        name.StartsWith(UserFunction.Prefix, StringComparison.OrdinalIgnoreCase)
            ? _functions.GetValueOrDefault(name[UserFunction.Prefix.Length..])
            : null;
}

/// <summary>A format of bodies that the language does not know by itself.</summary>
public interface IBodyDecoder
{
    /// <summary>
    /// The body as one JSON object, or an array of objects. Throws <see cref="FormatException"/> for a body that is
    /// none of its format. Gives the same for the same body, always.
    /// </summary>
    /// <param name="contentType">As the record says it, parameters included.</param>
    byte[] ToJson(ReadOnlyMemory<byte> body, string contentType);
}

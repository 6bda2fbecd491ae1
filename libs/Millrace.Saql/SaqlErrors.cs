using Millrace.Primitives;

namespace Millrace.Saql;

/// <summary>
/// Everything a rule author can meet: 00xx in the text of a query, 01xx in a record or row at run time, 02xx in the
/// use of an engine, 03xx in a line of an input file, 04xx in a text as a warning.
/// </summary>
public static class SaqlErrors
{
    public static readonly ErrorDefinition BadToken = new("SQ-0001", "The text cannot be cut into words.",
        "A character has no meaning in a query, or a quote or comment is not closed.",
        "Close it, or quote the name with [brackets].");

    public static readonly ErrorDefinition Unexpected = new("SQ-0002", "Something else was expected here.",
        "The text does not follow the grammar at this place.", "Write what the message says would fit.");

    public static readonly ErrorDefinition NotInLanguage = new("SQ-0003", "This is no part of the query language.",
        "Other SQL has it; on a stream, which has no end, it has no meaning.", "Write what the message says instead.");

    public static readonly ErrorDefinition UnknownFunction = new("SQ-0004", "There is no such function.",
        "The name is not one of the built-in functions.", "Check the spelling against docs/queries.md.");

    public static readonly ErrorDefinition BadArguments = new("SQ-0005", "The arguments do not fit the function.",
        "There are too few, too many, or one of a kind that the function does not take.",
        "Write the arguments that the message names.");

    public static readonly ErrorDefinition UnknownName = new("SQ-0006", "There is no such column.",
        "The step does not give a column of this name.", "Use one of the step's columns.");

    public static readonly ErrorDefinition UnknownInput = new("SQ-0007", "There is no such input or step.",
        "FROM names neither an input nor a step that stands before, or CREATE TABLE no input that is read.",
        "Use one of the names that the message gives.");

    public static readonly ErrorDefinition TypeMismatch = new("SQ-0008", "The types do not go together.",
        "The operation is not defined for values of these types.", "CAST one side, or compare other fields.");

    public static readonly ErrorDefinition NotGrouped = new("SQ-0009", "The column is neither grouped nor aggregated.",
        "A row of a window has one value only for what GROUP BY names.",
        "Add it to GROUP BY, or wrap it in an aggregate such as MAX.");

    public static readonly ErrorDefinition MisplacedAggregate = new("SQ-0010", "An aggregate cannot stand here.",
        "Aggregates are computed over a window's rows, after WHERE and grouping.",
        "Filter by it in HAVING, or compute it in a WITH step.");

    public static readonly ErrorDefinition WindowNeeded = new("SQ-0011", "The window does not fit.",
        "A GROUP BY needs exactly one window, so that its groups end.",
        "Write one window, such as TumblingWindow; Windows(...) takes several.");

    public static readonly ErrorDefinition BadWindow = new("SQ-0012", "The window's bounds are not valid.",
        "Sizes are constants from 1 microsecond to 7 days, and a window has at most 100,000 parts that it hops by.",
        "Choose a size within these bounds.");

    public static readonly ErrorDefinition DuplicateName = new("SQ-0013", "The name is taken.",
        "Two steps or two columns cannot have one name.", "Give one of them another name with AS.");

    public static readonly ErrorDefinition UnionMismatch = new("SQ-0014", "The parts of UNION do not fit together.",
        "All parts give the same columns in the same order.", "Name the columns alike, or add the missing one.");

    public static readonly ErrorDefinition BadLiteral = new("SQ-0015", "The constant is out of range.",
        "A bigint has 64 bits, a float goes to 1.79E308.", "Write a smaller number, or text.");

    public static readonly ErrorDefinition UnknownWord = new("SQ-0016", "The word is not known here.",
        "Date parts, data types and metadata properties are fixed lists.", "Use one of those that the message gives.");

    public static readonly ErrorDefinition MisplacedTimestampBy = new("SQ-0017", "TIMESTAMP BY cannot stand here.",
        "Only an input has times of its own, and they come from its fields.",
            "Move it to the SELECT that reads the input.");

    public static readonly ErrorDefinition MisplacedStar = new("SQ-0018", "* cannot stand here.",
        "* means the fields of a source's rows, which a grouped or computed row does not have.", "Name the columns.");

    public static readonly ErrorDefinition TooLarge = new("SQ-0019", "The query is too large.",
        "Length and nesting have limits, so that no query harms the others.",
            "Split it into several queries or steps.");

    public static readonly ErrorDefinition BadOutputName = new("SQ-0020", "The output's name is not valid.",
        "It becomes the name of a topic and of a file.", "Use 1 to 100 letters, digits, _ or -.");

    public static readonly ErrorDefinition TimeBoundNeeded = new("SQ-0021", "The join needs a time bound.",
        "Rows of streams are kept until no other row can meet them; without a bound that is for ever.",
        "Add DATEDIFF(unit, left, right) BETWEEN ... AND ... to ON.");

    public static readonly ErrorDefinition UnknownModel = new("SQ-0022", "There is no such model.",
        "ML_SCORE names a model of the registry that has a promoted version.",
        "Check the name with `millrace model list`, or promote a version of it.");

    public static readonly ErrorDefinition OverNotOnAll = new("SQ-0023",
        "TIMESTAMP BY ... OVER is not on all inputs.",
        "OVER gives each substream a time of its own, and rows of an input without it are of no substream.",
        "Write TIMESTAMP BY ... OVER for every input of the query or for none, or make two queries of it.");

    public static readonly ErrorDefinition BadBody = new("SQ-0101", "The body cannot be decoded.",
        "A query reads bodies that are one JSON object, or an array of objects.", "Mend the device's encoder.");

    public static readonly ErrorDefinition CastFailed = new("SQ-0102", "The value cannot be converted.",
        "Its text or type does not fit the type that is asked for.", "Use TRY_CAST, or filter such rows first.");

    public static readonly ErrorDefinition Overflow = new("SQ-0103", "The result is out of range.",
        "A bigint has 64 bits; a float is finite; dates lie between the years 1 and 9999.",
        "CAST to float first, or filter such rows.");

    public static readonly ErrorDefinition DivideByZero = new("SQ-0104", "Division by zero.",
        "The divisor is 0.", "Divide by NULLIF(x, 0), which gives null.");

    public static readonly ErrorDefinition BadTimestamp = new("SQ-0105", "TIMESTAMP BY gives no time.",
        "The expression is null, or no ISO 8601 time.",
            "Mend the field, or use COALESCE with a time that is always there.");

    public static readonly ErrorDefinition BadArgumentValue = new("SQ-0106", "An argument is out of its range.",
        "The function is not defined for this value, or what it makes would be too long or nest too deep.",
        "Filter such rows with WHERE or CASE.");

    public static readonly ErrorDefinition ValueMismatch = new("SQ-0107", "The values' types do not go together.",
        "The operation is not defined for values of these types.", "CAST, or filter such rows with WHERE.");

    public static readonly ErrorDefinition NoDevice = new("SQ-0108", "A telemetry record names no device.",
        "It has no key, and the key is the device id.", "Produce to the topic with the device id as the key.");

    public static readonly ErrorDefinition FunctionFailed = new("SQ-0109", "A user function failed.",
        "The function threw an exception, took longer or more memory than it may, or gave no value of the language.",
        "Mend the function, or filter such rows with WHERE.");

    public static readonly ErrorDefinition ScoringFailed = new("SQ-0110", "A model could not score the row.",
        "The model failed on these features, gave no finite number, or no version of it was given.",
        "Filter such rows with WHERE, or promote a version that takes them.");

    public static readonly ErrorDefinition BadRecordTime = new("SQ-0111", "The record's time is not believed.",
        "It is not within the years 1 to 9999, or lies further ahead of the clock than EventLog:TimeAheadMax.",
        "Mend the clock, or the unit, of whoever produces it: a record's time is in milliseconds since 1970.");

    public static readonly ErrorDefinition HeadersCut = new("SQ-0112", "The record has too many headers.",
        "A record has up to 65,535 headers with names of up to 65,535 bytes; those that did not fit were cut.",
        "Have the producer send fewer headers.");

    public static readonly ErrorDefinition NoSubstream = new("SQ-0113", "TIMESTAMP BY ... OVER gives no substream.",
        "A value behind OVER is null, so that no timeline is the row's.",
        "Mend the field, or use COALESCE with a value that is always there.");

    public static readonly ErrorDefinition PatternTimeout = new("SQ-0114", "A pattern took too long.",
        "It tried more ways to match the text than a row may: a regular expression for longer than " +
            "StreamProcessor:PatternTimeMax, LIKE or PATINDEX in 100,000,000 steps.",
        "Write it without a repetition within a repetition, or filter long texts with WHERE.");

    public static readonly ErrorDefinition ForeignState = new("SQ-0201", "The saved state does not fit this query.",
        "It was written by another query, version or set of inputs, or it is damaged.",
        "Start the query under a new version, without the state.");

    public static readonly ErrorDefinition UnknownSource = new("SQ-0202", "The engine does not read this partition.",
        "Records and marks must belong to the sources that the engine was made with.", "Give the source at the start.");

    public static readonly ErrorDefinition StateTooLarge = new("SQ-0203", "The query keeps too much.",
        "Its windows, joins or partitions hold more than the limit for one query.",
        "Choose smaller windows and bounds, filter before them, or raise the limit.");

    public static readonly ErrorDefinition BadReference = new("SQ-0303", "The reference data cannot be read.",
        "It is no JSON array of objects, no JSON object a line, and no CSV with a head line under a name in .csv or "
        + ".tsv.",
        "Mend the file.");

    public static readonly ErrorDefinition BadLine = new("SQ-0301", "The line is not a JSON object.",
        "An input file has one JSON object a line.", "Mend the line, or run with --on-error drop.");

    public static readonly ErrorDefinition BadLineMetadata = new("SQ-0302", "The line's metadata is not valid.",
        "EventEnqueuedUtcTime and EventProcessedUtcTime are ISO 8601 times, PartitionId a whole number, IoTHub an " +
            "object.",
        "Mend the line, or leave the field out.");

    public static readonly ErrorDefinition BadPackedFile = new("SQ-0304", "The packed file is damaged.",
        "A file whose name ends in .gz is gzip; this one is none, is cut off, or is not what was packed.",
        "Copy it again from where it came from.");

    public static readonly ErrorDefinition AlwaysFails = new("SQ-0401", "A constant expression always fails.",
        "It has the same value for each row, and none that the language knows, so that each row fails.",
        "Mend the constant; TRY_CAST gives null where CAST fails.");

    public static readonly ErrorDefinition NameForText = new("SQ-0402", "A name stands where text seems to be meant.",
        "In double quotes stands the name of a column, and text in single ones.",
        "Write the text in 'single quotes', or the name in [brackets].");

    public static readonly ErrorDefinition ComparedWithNull = new("SQ-0403", "A comparison with NULL is never true.",
        "NULL is no value that others are the same as or differ from.", "Write IS NULL or IS NOT NULL.");

    public static readonly ErrorDefinition NeverTrue = new("SQ-0404", "The condition is never true.",
        "It has no column in it, and is false or null for each row.",
        "Mend the condition; a query that is not to run is paused.");
}

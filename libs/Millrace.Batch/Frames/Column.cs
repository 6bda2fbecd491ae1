namespace Millrace.Batch.Frames;

/// <summary>
/// A value computed of a row, or of the rows of a group or window. Functions are in <see cref="Functions"/>.
/// </summary>
public sealed class Column
{
    internal Column(ValueNode node) => Node = node;

    internal ValueNode Node { get; }

    /// <summary>What it is called in a result that selects it.</summary>
    public string Name => Node switch
    {
        NameNode name => name.Name,
        AliasNode alias => alias.Name,
        _ => throw new InvalidOperationException("The value has no name; give it one with As."),
    };

    /// <summary>A column by its name.</summary>
    public static Column Of(string name) => new(new NameNode(name));

    /// <summary>A value: string, int, long, double, bool, DateOnly, DateTimeOffset or null.</summary>
    public static Column Value(object? value) => value switch
    {
        null or string or int or long or double or bool or DateOnly or DateTimeOffset => new(new LiteralNode(value)),
        _ => throw BatchErrors.ParameterInvalid.With(value, value.GetType().Name).AsException(),
    };

    public static implicit operator Column(string name) => Of(name);

    public static implicit operator Column(int value) => Value(value);

    public static implicit operator Column(long value) => Value(value);

    public static implicit operator Column(double value) => Value(value);

    public static implicit operator Column(bool value) => Value(value);

    public static implicit operator Column(DateTimeOffset value) => Value(value);

    public static implicit operator Column(DateOnly value) => Value(value);

    public static Column operator +(Column left, Column right) => Call("+", left, right);

    public static Column operator -(Column left, Column right) => Call("-", left, right);

    public static Column operator *(Column left, Column right) => Call("*", left, right);

    /// <summary>A floating-point number. Division by zero fails on one engine and is null on the other.</summary>
    public static Column operator /(Column left, Column right) => Call("/", left, right);

    public static Column operator %(Column left, Column right) => Call("%", left, right);

    public static Column operator <(Column left, Column right) => Call("<", left, right);

    public static Column operator >(Column left, Column right) => Call(">", left, right);

    public static Column operator <=(Column left, Column right) => Call("<=", left, right);

    public static Column operator >=(Column left, Column right) => Call(">=", left, right);

    public static Column operator &(Column left, Column right) => Call("and", left, right);

    public static Column operator |(Column left, Column right) => Call("or", left, right);

    public static Column operator !(Column value) => Call("not", value);

    public Column EqualTo(Column other) => Call("==", this, other);

    public Column NotEqualTo(Column other) => !EqualTo(other);

    public Column IsNull() => Call("isnull", this);

    public Column IsNotNull() => Call("isnotnull", this);

    /// <summary>One of the values.</summary>
    public Column In(params IEnumerable<Column> values) => new(new CallNode("in", [this, .. values]));

    /// <summary>The value of a map's key; null when it has none.</summary>
    public Column Item(string key) => new(new ItemNode(this, Value(key)));

    /// <summary>The name that it has in the result.</summary>
    public Column As(string name) => new(new AliasNode(this, name));

    /// <summary>What cannot be converted fails the statement.</summary>
    public Column Cast(ColumnType type) => new(new CastNode(this, type, IsTry: false));

    /// <summary>What cannot be converted is null.</summary>
    public Column TryCast(ColumnType type) => new(new CastNode(this, type, IsTry: true));

    /// <summary>The function over the rows of a window: an aggregate, or a function that only windows have.</summary>
    public Column Over(Window window) => new(new WindowNode(this, window));

    public SortKey Descending() => new(this, IsDescending: true);

    internal static Column Call(string function, params IReadOnlyList<Column> arguments) =>
        new(new CallNode(function, arguments));
}

/// <summary>The types that both engines have.</summary>
public enum ColumnType
{
    String,
    Integer,
    Long,
    Double,
    Boolean,
    Date,

    /// <summary>A moment, in UTC, to the microsecond.</summary>
    Timestamp,
    Binary,
}

internal abstract record ValueNode;

internal sealed record NameNode(string Name) : ValueNode;

internal sealed record LiteralNode(object? Value) : ValueNode;

/// <param name="Function">As Spark names it; operators are functions too.</param>
internal sealed record CallNode(string Function, IReadOnlyList<Column> Arguments, bool IsDistinct = false) : ValueNode;

internal sealed record ItemNode(Column Map, Column Key) : ValueNode;

internal sealed record AliasNode(Column Value, string Name) : ValueNode;

internal sealed record CastNode(Column Value, ColumnType Type, bool IsTry) : ValueNode;

internal sealed record WindowNode(Column Function, Window Window) : ValueNode;

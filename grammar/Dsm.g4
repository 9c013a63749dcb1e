// The .dsm language: small and general. What a block may hold is not said here but in the schema
// (src/ModelDsl.Compiler/Binding/Schema), so that a new attribute is a row in a table and not a rule in a grammar.
//
// Line breaks mean nothing to the parser. A number and its unit are one token, and a unit stands on the line of its
// number; that is what keeps `hidden = 7168` apart from the attribute on the next line.
grammar Dsm;

file
    : declaration* EOF
    ;

// A value alone: the right-hand side of `--set path=value`.
value
    : expression EOF
    ;

declaration
    : 'use' STRING                              # useDeclaration
    | 'param' name '=' expression               # parameterDeclaration
    | name name ('from' name)? body             # objectDeclaration
    ;

body
    : '{' item* '}'
    ;

item
    : entry ','?
    ;

entry
    : name '=' expression                       # attribute
    | name '(' arguments? ')'                   # step
    | name label? body                          # block
    ;

label
    : expression
    ;

expression
    : sum ('..' sum)?
    ;

sum
    : product (('+' | '-') product)*
    ;

product
    : factor (('*' | '/') factor)*
    ;

factor
    : '-'* primary
    ;

primary
    : QUANTITY                                  # quantity
    | STRING                                    # string
    | name '(' arguments? ')'                   # call
    | name                                      # reference
    | '[' (expression (',' expression)* ','?)? ']'   # list
    | '(' expression ')'                        # group
    ;

arguments
    : argument (',' argument)* ','?
    ;

argument
    : (name ':')? expression
    ;

// The three words with a meaning of their own are ordinary names everywhere else: `at(0.1, from: 10T tokens)`.
name
    : NAME | 'use' | 'param' | 'from'
    ;

// 7168   14.8T tokens   1e-4   160 GB/s   2 $/gpu_hour   95 %   and, as a label, 1f1b
QUANTITY
    : DIGIT (DIGIT | '_')* ('.' DIGIT (DIGIT | '_')*)? ([eE] [+-]? DIGIT+)? WORD? ([ \t]* UNIT)?
    ;

NAME
    : WORD
    ;

STRING
    : '"' ~["\r\n]* '"'
    ;

OPEN_STRING
    : '"' ~["\r\n]* -> type(STRING)
    ;

LINE_COMMENT
    : '//' ~[\r\n]* -> channel(HIDDEN)
    ;

BLOCK_COMMENT
    : '/*' .*? ('*/' | EOF) -> channel(HIDDEN)
    ;

WHITESPACE
    : [ \t\r\n\u000C]+ -> skip
    ;

// Named, because the compiler puts them where they are missing.
CLOSE_PAREN
    : ')'
    ;

CLOSE_BRACKET
    : ']'
    ;

// Not a comment here, but taken for one, so that its words are not read as entries.
HASH
    : '#' ~[\r\n]* -> type(UNKNOWN), channel(HIDDEN)
    ;

UNKNOWN
    : . -> channel(HIDDEN)
    ;

fragment UNIT
    : UNIT_WORD ('/' UNIT_WORD)?
    ;

fragment UNIT_WORD
    : WORD | '$' | '%'
    ;

fragment WORD
    : [A-Za-z_\u00B5] [A-Za-z_0-9]*
    ;

fragment DIGIT
    : [0-9]
    ;

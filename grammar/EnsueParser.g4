// The grammar of Ensue, version 1 (docs/language.md).
//
// It is a closed-sentence grammar: every clause starts with its own word and blocks close with `end`, so that it reads
// left to right with little look-ahead. It holds no actions and no predicates; it accepts a little more than the language
// (clauses in any order, any statement after `then`, mixed `and` and `or`), and check/ refuses the rest in good prose.
// Operators of one level are loops, not left recursion, so that a long condition does not become a deep tree.
parser grammar EnsueParser;

options { tokenVocab = EnsueLexer; }

// ---- Entry points -------------------------------------------------------------------------------------------------

file : declaration* EOF ;
oneDeclaration : declaration EOF ;          // one chunk of a file whose parse as a whole failed
sessionInput : (declaration | testStatement | expr) EOF ;   // what a person types into the REPL

declaration
    : objectDecl | extendDecl | functionDecl
    | actionDecl | flowDecl | subflowDecl | screenFlowDecl
    | cadenceDecl | quickCadenceDecl | templateDecl | scriptDecl
    | routingDecl | limitsDecl | calendarDecl
    | testDecl
    ;

// Stand after the name of a declaration, in any order.
attribute : K_BY STRING | K_VERSION NUMBER | K_PRIORITY NUMBER | K_DRAFT ;

// ---- Objects and functions ----------------------------------------------------------------------------------------

objectDecl : K_OBJECT objectName labelled? fieldDecl* K_END ;
extendDecl : K_EXTEND objectName fieldDecl* K_END ;
labelled : K_LABELLED STRING ;
fieldDecl : name K_AS fieldType fieldOption* ;
fieldType
    : K_LONG K_TEXT                                                             # longTextType
    | K_OPEN? (K_PICKLIST | K_MULTIPICKLIST) LP STRING (COMMA STRING)* RP       # picklistType
    | K_LOOKUP K_TO objectName (COMMA objectName)*                              # lookupType
    | name                                                                      # plainType
    ;
fieldOption : COMMA? (labelled | K_STORED K_AS name | K_CHILDREN name | K_REQUIRED | K_DEFAULT literal) ;

functionDecl : K_FUNCTION name (K_TAKES param (COMMA param)*)? K_GIVES typeName text? functionExample* K_END ;
functionExample : K_EXAMPLE expr ;
param : name K_AS typeName (K_DEFAULT literal)? ;
typeName : K_LIST K_OF typeName | K_LONG K_TEXT | name ;

// ---- Automated actions --------------------------------------------------------------------------------------------

actionDecl : K_ACTION STRING attribute* actionClause* K_THEN statement* K_END ;
actionClause : recordTrigger | scope | activation | guard ;
recordTrigger : K_WHEN objectName K_IS recordEvent (K_OR recordEvent)* (COMMA (K_BEFORE | K_AFTER) K_SAVE)? ;
recordEvent : K_CREATED | K_EDITED | K_DELETED | K_UNDELETED ;
scope : K_FOR (K_MY K_RECORDS | K_RECORDS K_OF K_MY K_TEAM) ;
activation : K_ACTIVATED K_BY (K_CREATOR | K_ASSIGNEES (COMMA (K_ON | K_OFF) K_BY K_DEFAULT)?) ;
guard : (K_IF | K_AND K_NEWLY? K_MEETS) condition ;
condition : numberedCondition+ K_BY K_LOGIC logic | expr ;
numberedCondition : NUMBER COLON expr ;
logic : logicTerm ((K_AND | K_OR) logicTerm)* ;
logicTerm : K_NOT* (NUMBER | LP logic RP) ;

// ---- Flows --------------------------------------------------------------------------------------------------------

flowDecl : K_FLOW STRING attribute* flowClause* statement* gapBlock* K_END ;
subflowDecl : K_SUBFLOW STRING attribute* flowClause* statement* K_END ;
screenFlowDecl : K_SCREEN K_FLOW STRING attribute* flowClause* statement* K_END ;
flowClause
    : recordTrigger | scheduleTrigger | overClause | stepTrigger | cadenceTrigger | changeTrigger | calledTrigger
    | flowGuard | takesClause | givesClause | runAs | runMode | runAgain | gapBlock
    ;
flowGuard : K_AND K_NEWLY? K_MEETS condition ;   // never a bare `if`: it would swallow the first statement
scheduleTrigger
    : K_EVERY scheduleDay (COMMA scheduleDay)* K_AT TIME (COMMA TIME)* (K_IN STRING)? catchUp?          # dailySchedule
    | K_EVERY K_MONTH K_ON NUMBER (COMMA NUMBER)* K_AT TIME (COMMA TIME)* (K_IN STRING)? catchUp?       # monthlySchedule
    | K_EVERY NUMBER? unit (K_IN STRING)? catchUp?                                                      # intervalSchedule
    | K_ON DATE K_AT TIME (K_IN STRING)? catchUp?                                                       # onceSchedule
    ;
scheduleDay : dayName | K_WEEKDAY | K_DAY ;
catchUp : K_CATCH K_UP (K_ONCE | K_ALL | K_NEVER) ;
overClause : K_OVER objectName (K_WHERE expr)? (COMMA K_IN K_BATCHES K_OF NUMBER)? ;
stepTrigger
    : K_WHEN (K_STEP STRING K_OF whichCadence | K_ANY K_STEP (K_OF whichCadence)?)
      (K_STARTS | K_COMPLETES (K_WITH K_OUTCOME STRING)?)
    ;
cadenceTrigger : K_WHEN whichCadence (K_STARTS | K_ENDS) ;
whichCadence : K_CADENCE STRING | K_ANY K_CADENCE ;
changeTrigger : K_WHEN K_CHANGES K_ARRIVE K_FOR objectName (COMMA objectName)* ;
calledTrigger : K_WHEN K_CALLED ;
takesClause : K_TAKES param (COMMA param)* ;
givesClause : K_GIVES param (COMMA param)* ;
runAs : K_RUN K_AS (K_SYSTEM | K_THE K_OWNER | K_USER STRING) ;
runMode : K_MODE (K_SINGLE | K_RESTART | K_QUEUED | K_PARALLEL) (K_PER K_RECORD)? (K_AT K_MOST NUMBER)? ;
runAgain : K_MAY K_RUN K_AGAIN K_UP K_TO NUMBER ;
gapBlock : K_ON (K_GAP | K_OVERFLOW) statement* K_END ;

// ---- Statements ---------------------------------------------------------------------------------------------------

statement
    : ifStmt | forStmt | letStmt | setStmt | createStmt | updateStmt | deleteStmt | waitStmt | tryStmt | stopStmt
    | giveStmt | logStmt | runStmt | callStmt | sendStmt | routeStmt | showStmt | remindStmt
    | addEffect | removeEffect | pauseEffect | changeEffect
    ;
ifStmt : K_IF expr statement* elseIf* elseBlock? K_END ;
elseIf : K_ELSE K_IF expr statement* ;
elseBlock : K_ELSE statement* ;
forStmt : K_FOR K_EACH name K_IN valueSource statement* K_END ;
letStmt : K_LET name EQ valueSource ;
setStmt : K_SET assignments ;
createStmt : K_CREATE objectName (K_WITH assignments)? (K_AS name)? ;
updateStmt : K_UPDATE path (K_WHERE expr)? K_SET assignments ;
deleteStmt : K_DELETE path ;
waitStmt : K_WAIT (duration | K_UNTIL expr (K_FOR K_AT K_MOST duration)?) timeoutBlock? ;
timeoutBlock : K_ON K_TIMEOUT statement* K_END ;
tryStmt : K_TRY statement* retry? faultBlock ;
retry : K_RETRY NUMBER (K_TIMES | K_TIME) (COMMA K_STARTING K_AT duration)? (COMMA K_DOUBLING)? ;
faultBlock : K_ON K_FAULT (K_AS name)? statement* K_END ;
stopStmt : K_STOP (K_WITH K_FAULT expr)? ;
giveStmt : K_GIVE assignments ;
logStmt : K_LOG expr ;
runStmt : K_RUN STRING (K_WITH assignments)? ;
callStmt : K_CALL K_SERVICE STRING (K_WITH assignments)? ;
sendStmt : K_SEND K_EMAIL K_TO atom K_USING K_TEMPLATE STRING ;
routeStmt : K_ROUTE path K_BY STRING ;
showStmt : K_SHOW STRING askItem* K_END ;
askItem : K_ASK name K_AS (K_CHOICE K_OF LP STRING (COMMA STRING)* RP | typeName) askOption* ;
askOption : COMMA? (labelled | K_REQUIRED | K_DEFAULT literal) ;
remindStmt : K_REMIND atom (K_WITHIN duration)? (COMMA K_EXPIRING K_AFTER duration)? K_TO statement ;
addEffect : K_ADD path K_TO K_CADENCE STRING (COMMA K_ASSIGNED K_TO atom)? ;
removeEffect : K_REMOVE path K_FROM cadenceScope (COMMA K_WITH K_DISPOSITION STRING)? ;
pauseEffect : (K_PAUSE | K_RESUME) path K_IN cadenceScope ;
changeEffect : K_CHANGE K_ASSIGNEE K_OF path K_TO atom (K_IN cadenceScope)? ;
cadenceScope : K_CADENCE STRING | K_ALL K_CADENCES ;

assignments : assignment (COMMA assignment)* ;
assignment : path K_TO valueSource ;
valueSource : finder | runStmt | callStmt | expr ;
finder : K_FIND (K_FIRST | K_ALL) objectName (K_WHERE expr)? (COMMA K_ORDERED K_BY path (K_ASCENDING | K_DESCENDING)?)? ;

// ---- Conditions and values ----------------------------------------------------------------------------------------

expr : negation ((K_AND | K_OR) negation)* ;
negation : K_NOT* comparison ;
comparison
    : K_IS K_NEW                                                                # isNew
    | (K_ANY | K_NO | K_EACH) objectName (K_OF path)? K_HAS LP expr RP          # quantified
    | sum comparisonTail?                                                       # compared
    ;
comparisonTail
    : K_IS K_NOT? K_BLANK                                                       # isBlank
    | K_IS K_NOT? K_ONE K_OF LP sum (COMMA sum)* RP                             # isOneOf
    | K_IS K_NOT? K_BETWEEN sum K_AND sum                                       # isBetween
    | K_IS K_NOT? (K_BEFORE | K_AFTER) sum                                      # isBeforeAfter
    | K_IS K_NOT? K_EXACTLY? sum                                                # isEqual
    | (LE | GE | LT | GT | EQ | NE) sum                                         # ordered
    | K_CHANGED (K_FROM sum)? (K_TO sum)?                                       # changed
    | (K_CONTAINS | K_STARTS K_WITH | K_ENDS K_WITH) K_EXACTLY? sum             # textTest
    ;
sum : product ((PLUS | MINUS) product)* ;
product : factor ((STAR | SLASH) factor)* ;
factor : MINUS* atom ;
atom
    : LP expr RP                                                                # grouped
    | duration (K_AGO | K_FROM K_NOW)?                                          # durationAtom
    | literal                                                                   # literalAtom
    | (K_NOW | K_TODAY)                                                         # clockAtom
    | (K_USER | K_QUEUE) STRING                                                 # namedPerson
    | name LP (expr (COMMA expr)*)? RP                                          # call
    | path                                                                      # pathAtom
    ;
literal
    : NUMBER PCT? | MONEY | text | DATETIME (K_IN STRING)? | DATE | TIME | K_TRUE | K_FALSE | K_BLANK
    | MINUS NUMBER PCT?
    ;
text : STRING | TEXTBLOCK ;
duration : NUMBER K_BUSINESS? unit ;
unit
    : K_SECOND | K_SECONDS | K_MINUTE | K_MINUTES | K_HOUR | K_HOURS | K_DAY | K_DAYS | K_WEEK | K_WEEKS
    | K_MONTH | K_MONTHS | K_YEAR | K_YEARS
    ;
path : (K_ITS name | K_IT | K_ME | name) (DOT name)* ;

// ---- Cadences -----------------------------------------------------------------------------------------------------

cadenceDecl : K_CADENCE STRING attribute* cadenceClause* track* K_END ;
cadenceClause : K_TARGETS objectName (COMMA objectName)* | K_EXIT K_ON STRING (COMMA STRING)* ;
track : K_TRACK name (K_ON STRING (COMMA STRING)*)? trackItem* ;
trackItem : stepDecl | branchDecl | listenDecl ;
stepDecl
    : K_STEP STRING (K_IMMEDIATELY | K_AFTER duration) COLON stepKind variants? (K_ON K_COMPLETION K_RUN STRING)? ;
stepKind
    : (K_AUTOMATED | K_MANUAL) K_EMAIL (K_USING K_TEMPLATE STRING)?
    | K_CALL (K_USING K_SCRIPT STRING)?
    | K_CONNECTION K_REQUEST
    | K_INMAIL
    | K_CUSTOM STRING
    | K_SCREEN K_FLOW STRING
    | K_LINK K_TO K_CADENCE STRING
    ;
variants : COMMA K_VARIANTS variant (COMMA variant)* ;
variant : NUMBER PCT STRING ;
branchDecl : K_BRANCH K_ON K_CALL K_RESULT STRING yesBlock noBlock? K_END ;
listenDecl : K_LISTEN K_FOR STRING K_FOR duration (COMMA K_ADVANCE K_AT K_ONCE)? yesBlock noBlock? K_END ;
yesBlock : K_YES trackItem* ;
noBlock : K_NO trackItem* ;
quickCadenceDecl : K_QUICK K_CADENCE STRING attribute* cadenceClause* quickStep K_END ;
quickStep : stepKind K_EVERY duration (COMMA K_UP K_TO NUMBER (K_TIMES | K_TIME))? (COMMA K_UNTIL STRING)? ;
templateDecl : K_TEMPLATE STRING attribute* (K_SUBJECT text)? K_BODY text K_END ;
scriptDecl : K_SCRIPT STRING text ;

// ---- Routing, limits, calendars -----------------------------------------------------------------------------------

routingDecl
    : K_ROUTING STRING attribute* K_FOR objectName (COMMA (K_FIRST K_MATCH K_WINS | K_ALL K_MATCHES))?
      K_COLUMNS path (BAR path)* ARROW name (BAR name)* routingRow* routingOtherwise? K_END
    ;
routingRow : K_ROW cellIn (BAR cellIn)* ARROW cellOut (BAR cellOut)* ;
routingOtherwise : K_OTHERWISE ARROW cellOut (BAR cellOut)* ;
cellIn : K_ANY | (LE | GE | LT | GT | EQ | NE) sum | sum (COMMA sum)* ;
cellOut : K_NONE | K_ROUND K_ROBIN STRING | sum ;

limitsDecl : K_LIMITS STRING attribute* limitLine* K_END ;
limitLine
    : limitScope COLON limitCap (COMMA limitCap)*                               # limitCaps
    | K_DAY K_STARTS K_AT TIME K_IN STRING                                      # dayStarts
    | K_WARN K_AT NUMBER PCT                                                    # warnAt
    | K_WHEN K_REACHED name                                                     # whenReached
    ;
limitScope : K_EACH K_USER | K_WHOLE K_ORG | K_FLOW STRING | K_ACTION STRING (K_BY STRING)? | K_SERVICE STRING ;
limitCap : K_AT K_MOST NUMBER name name? K_PER NUMBER? unit ;

calendarDecl : K_CALENDAR STRING attribute* K_IN STRING openLine* holidays* K_END ;
openLine : K_OPEN openDays TIME MINUS TIME (COMMA TIME MINUS TIME)* ;
openDays : dayName (MINUS dayName)? (COMMA dayName (MINUS dayName)?)* ;
holidays : K_HOLIDAYS DATE (COMMA DATE)* ;
dayName : K_MONDAY | K_TUESDAY | K_WEDNESDAY | K_THURSDAY | K_FRIDAY | K_SATURDAY | K_SUNDAY ;

// ---- Tests --------------------------------------------------------------------------------------------------------

testDecl : K_TEST STRING attribute* caseTable? testStatement* K_END ;
caseTable : K_WITH K_CASES LP name (BAR name)* RP caseRow* ;
caseRow : K_ROW sum (BAR sum)* ;
testStatement
    : K_CLOCK K_IS DATETIME (K_IN STRING)?                                      # clockStmt
    | K_GIVEN objectName STRING (K_WITH assignments)?                           # givenRecord
    | K_GIVEN K_SERVICE STRING (K_RETURNS (assignments | expr) | K_FAILS K_WITH STRING (NUMBER (K_TIMES | K_TIME))?)
                                                                                # givenService
    | K_WHEN STRING K_SET assignments                                           # whenSet
    | K_WHEN STRING K_IS (K_DELETED | K_UNDELETED)                              # whenDeleted
    | K_WHEN objectName STRING K_IS K_CREATED (K_WITH assignments)?             # whenCreated
    | K_WHEN STRING K_ENGAGES K_WITH STRING                                     # whenEngages
    | K_WHEN STRING K_COMPLETES K_STEP STRING (K_WITH K_OUTCOME STRING)?        # whenCompletes
    | K_WHEN STRING K_SKIPS K_STEP STRING                                       # whenSkips
    | K_WHEN STRING (K_RUNS | K_IGNORES | K_SNOOZES) K_THE K_REMINDER K_ABOUT STRING
      (K_FOR duration | K_UNTIL DATETIME (K_IN STRING)?)?                       # whenReminder
    | K_WHEN STRING (K_ACTIVATES | K_DEACTIVATES) K_ACTION STRING (K_BY STRING)?    # whenActivates
    | K_WHEN STRING cadenceVerb                                                 # whenCadence
    | K_WHEN K_EVENT K_ARRIVES TEXTBLOCK                                        # whenEvent
    | K_WHEN K_FLOW STRING K_IS K_CALLED (K_WITH assignments)?                  # whenCalled
    | K_WHEN STRING K_ANSWERS answer (COMMA answer)*                            # whenAnswers
    | K_ADVANCE (duration | K_TO DATETIME (K_IN STRING)?)                       # advanceStmt
    | K_EXPECT K_NO? expectation                                                # expectStmt
    ;
cadenceVerb
    : K_ADDS STRING K_TO K_CADENCE STRING (COMMA K_ASSIGNED K_TO atom)?         # verbAdds
    | K_REMOVES STRING K_FROM cadenceScope (COMMA K_WITH K_DISPOSITION STRING)? # verbRemoves
    | (K_PAUSES | K_RESUMES) STRING K_IN cadenceScope                           # verbPauses
    | K_CHANGES K_ASSIGNEE K_OF STRING K_TO atom (K_IN cadenceScope)?           # verbChanges
    ;
answer : name K_WITH expr ;
expectation
    : (K_ACTION | K_FLOW) STRING (K_BY STRING)? automationOutcome               # expectAutomation
    | count (K_EXECUTION | K_EXECUTIONS) K_CHARGED K_TO STRING                  # expectCharged
    | STRING K_HAS LP expr RP                                                   # expectHas
    | STRING K_NOT? K_IN K_CADENCE STRING membershipDetail*                     # expectInCadence
    | STRING K_LEFT K_CADENCE STRING (K_WITH K_DISPOSITION STRING)?             # expectLeft
    | K_REMINDER K_FOR STRING (K_ABOUT STRING)?                                 # expectReminder
    | K_FAULT STRING?                                                           # expectFault
    | K_EMAIL K_TO STRING K_USING K_TEMPLATE STRING                             # expectEmail
    | K_CALL K_TO K_SERVICE STRING                                              # expectCall
    | count? objectName K_WITH LP expr RP                                       # expectRecords
    ;
automationOutcome
    : K_STARTED
    | K_RAN (count (K_TIMES | K_TIME))?
    | K_TOOK K_BRANCH STRING
    | K_SUPPRESSED K_BY K_LIMIT (K_ON (K_EACH K_USER | K_THE? K_WHOLE K_ORG))?
    ;
membershipDetail
    : K_ON K_TRACK name | K_AT K_STEP STRING | K_ASSIGNED K_TO STRING | K_DUE DATETIME (K_IN STRING)? ;
count : NUMBER | name ;

// ---- Names --------------------------------------------------------------------------------------------------------

// A field, a local, a parameter, a function.
name : IDENT | QNAME | softWord | optionWord ;
// An object. Without the words that may follow the list of objects of a lookup.
objectName : IDENT | QNAME | softWord ;
optionWord : K_REQUIRED | K_DEFAULT | K_CHILDREN | K_LABELLED | K_STORED ;

// Words that are keywords where a clause expects them and names everywhere else.
softWord
    : K_ACTION | K_ACTIVATED | K_ACTIVATES | K_ADD | K_ADDS | K_ADVANCE | K_AGAIN | K_AGO | K_ANSWERS | K_ARRIVE
    | K_ARRIVES | K_AS | K_ASCENDING | K_ASK | K_ASSIGNED | K_ASSIGNEE | K_ASSIGNEES | K_AT | K_AUTOMATED | K_BATCHES
    | K_BODY | K_BRANCH | K_BUSINESS | K_CADENCE | K_CADENCES | K_CALENDAR | K_CALL | K_CALLED | K_CASES | K_CATCH
    | K_CHANGE | K_CHANGES | K_CHARGED | K_CHOICE | K_CLOCK | K_COLUMNS | K_COMPLETES | K_COMPLETION | K_CONNECTION
    | K_CREATE | K_CREATED | K_CREATOR | K_CUSTOM | K_DAY | K_DAYS | K_DEACTIVATES | K_DELETE | K_DELETED | K_DESCENDING
    | K_DISPOSITION | K_DOUBLING | K_DRAFT | K_DUE | K_EDITED | K_EMAIL | K_ENGAGES | K_EVENT | K_EXACTLY | K_EXAMPLE
    | K_EXECUTION | K_EXECUTIONS | K_EXIT | K_EXPIRING | K_EXTEND | K_FAILS | K_FAULT | K_FIRST | K_FLOW | K_FRIDAY
    | K_FROM | K_FUNCTION | K_GAP | K_GIVE | K_GIVES | K_HOLIDAYS | K_HOUR | K_HOURS | K_IGNORES | K_IMMEDIATELY
    | K_INMAIL | K_LEFT | K_LIMIT | K_LIMITS | K_LINK | K_LIST | K_LISTEN | K_LOG | K_LOGIC | K_LONG | K_LOOKUP
    | K_MANUAL | K_MATCH | K_MATCHES | K_MAY | K_MEETS | K_MINUTE | K_MINUTES | K_MODE | K_MONDAY | K_MONTH | K_MONTHS
    | K_MOST | K_MULTIPICKLIST | K_NEVER | K_NEW | K_NEWLY | K_OBJECT | K_OF | K_OFF | K_ONCE | K_OPEN | K_ORDERED
    | K_ORG | K_OUTCOME | K_OVERFLOW | K_OWNER | K_PARALLEL | K_PAUSE | K_PAUSES | K_PICKLIST | K_PRIORITY | K_QUEUE
    | K_QUEUED | K_QUICK | K_RAN | K_REACHED | K_RECORD | K_RECORDS | K_REMIND | K_REMINDER | K_REMOVE | K_REMOVES
    | K_REQUEST | K_RESTART | K_RESULT | K_RESUME | K_RESUMES | K_RETURNS | K_ROBIN | K_ROUND | K_ROUTE | K_ROUTING
    | K_RUN | K_RUNS | K_SATURDAY | K_SAVE | K_SCREEN | K_SCRIPT | K_SECOND | K_SECONDS | K_SEND | K_SERVICE | K_SHOW
    | K_SINGLE | K_SKIPS | K_SNOOZES | K_STARTED | K_STARTING | K_STEP | K_STOP | K_SUBFLOW | K_SUBJECT | K_SUNDAY
    | K_SUPPRESSED | K_SYSTEM | K_TAKES | K_TARGETS | K_TEAM | K_TEMPLATE | K_TEST | K_TEXT | K_THE | K_THURSDAY | K_TIME
    | K_TIMEOUT | K_TIMES | K_TO | K_TOOK | K_TRACK | K_TUESDAY | K_UNDELETED | K_UP | K_UPDATE | K_USER | K_USING
    | K_VARIANTS | K_VERSION | K_WAIT | K_WARN | K_WEDNESDAY | K_WEEK | K_WEEKDAY | K_WEEKS | K_WHOLE | K_WINS | K_WITHIN
    | K_YEAR | K_YEARS | K_YES
    ;
